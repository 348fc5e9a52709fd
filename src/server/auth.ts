import { GemmaError } from "../base/errors.js";
import type { Call, Caller } from "./call.js";
import type { Scope, StoredKey } from "./keys.js";
import type { ResolvedServerOptions } from "./options.js";
import type { Rates } from "./rate-limits.js";

/**
 * Finds out who calls, and whether the key may do this. Every route goes through here but those that say whether the
 * server is alive and ready.
 *
 * @throws ERR_UNAUTHORIZED, ERR_FORBIDDEN
 */
export function authenticate(call: Call, scope: Scope, options: ResolvedServerOptions): Rates {
  const { keys, rateLimit, sharePrefixes } = options;
  if (!keys) return rateLimit;
  const key = keys.find(presentedKey(call.request.headers));
  if (!key) {
    throw new GemmaError("ERR_UNAUTHORIZED", "key: must be one of this server's that has not expired", {
      hint: "send it as `Authorization: Bearer KEY`",
    });
  }
  call.caller = callerOf(key, sharePrefixes);
  if (!key.scopes.includes(scope)) {
    throw new GemmaError(
      "ERR_FORBIDDEN",
      `key: must have the scope ${scope}, ${key.name} has ${key.scopes.join(", ")}`,
    );
  }
  return {
    requestsPerMinute: key.requestsPerMinute ?? rateLimit.requestsPerMinute,
    tokensPerMinute: key.tokensPerMinute ?? rateLimit.tokensPerMinute,
  };
}

function callerOf({ id, name, priority = 0 }: StoredKey, sharePrefixes: boolean): Caller {
  return { name, tenant: id, priority, salt: sharePrefixes ? "" : id };
}

function presentedKey(headers: Headers): string {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  return bearer?.[1] ?? headers.get("x-api-key") ?? "";
}
