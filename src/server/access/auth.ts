import { GemmaError } from "../../base/errors.js";
import type { ResolvedServerOptions } from "../options/options.js";
import type { Call, Caller } from "../requests/call.js";
import type { Scope, StoredKey } from "./keys.js";
import type { Rates } from "./rate-limits.js";

/**
 * Finds out who calls, and whether the key may do this. Every route goes through here but those that say whether the
 * server is alive and ready.
 *
 * @param isPage  whether a browser may send the key as it sends passwords
 * @throws ERR_UNAUTHORIZED, ERR_FORBIDDEN
 */
export function authenticate(call: Call, scope: Scope, isPage: boolean, options: ResolvedServerOptions): Rates {
  const { keys, rateLimit, sharePrefixes } = options;
  if (!keys) return rateLimit;
  const key = keys.find(presentedKey(call.request.headers, isPage));
  if (!key) {
    throw new GemmaError("ERR_UNAUTHORIZED", "key: must be one of this server's that has not expired", {
      hint: "send it as `Authorization: Bearer KEY`",
    });
  }
  call.caller = callerOf(key, sharePrefixes);
  if (!key.scopes.includes(scope)) {
    throw new GemmaError(
      "ERR_FORBIDDEN",
      `key ${key.name}: must have the scope ${scope}, got ${key.scopes.join(", ")}`,
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

/**
 * Pages take passwords, because a browser can ask for one; nothing else does, because a browser sends it along from then
 * on, also with requests that a foreign page has made.
 */
function presentedKey(headers: Headers, isPage: boolean): string {
  const authorization = headers.get("authorization") ?? "";
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const basic = isPage ? /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1] : undefined;
  const password =
    basic &&
    Buffer.from(basic, "base64")
      .toString()
      .replace(/^[^:]*:/, "");
  return bearer ?? password ?? headers.get("x-api-key") ?? "";
}

/** How a browser, or a client, is asked for a key. */
export function challenge(isPage: boolean): string {
  return isPage ? 'Bearer, Basic realm="gemma.ts: the key is the password", charset="UTF-8"' : "Bearer";
}
