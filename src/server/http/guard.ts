import { GemmaError } from "../../base/errors.js";
import { isLoopback } from "../options/options.js";

/** The name in a Host header, in lower case, without port and without the dot at the end of absolute names. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}

/**
 * Refuses requests that were addressed to another name. A page on the internet can point its own name at this machine
 * (DNS rebinding); its requests still carry that name.
 *
 * @param hosts names beside the loopback ones; "*": any
 * @throws ERR_BAD_REQUEST without a Host header, ERR_FORBIDDEN
 */
export function checkHost(host: string | null, hosts: readonly string[]): void {
  if (!host) throw new GemmaError("ERR_BAD_REQUEST", "host: a Host header must be present, got none");
  const name = hostName(host);
  if (isLoopback(name) || hosts.includes("*") || hosts.some((allowed) => hostName(allowed) === name)) return;
  throw new GemmaError("ERR_FORBIDDEN", `host: must be one that this server was told to answer to, got ${name}`, {
    hint: `start it with --allow-host ${name}`,
  });
}

/** What a preflight may ask for: the headers of OpenAI's own client among them. */
const METHODS = "GET, POST, DELETE, OPTIONS";
const MAX_AGE_SECONDS = "600";

/**
 * CORS headers for a request's origin; null: it carries none, or it comes from this server's own pages.
 *
 * @param origins origins whose pages may call; "*": any
 * @throws ERR_FORBIDDEN for any other, `null` (a sandboxed page or a file) included
 */
export function corsHeaders(request: Request, origins: readonly string[]): Record<string, string> | null {
  const origin = request.headers.get("origin");
  if (origin === null || isOwn(origin, request.headers.get("host"))) return null;
  const isAllowed = origin !== "null" && (origins.includes("*") || origins.includes(origin));
  if (!isAllowed) {
    throw new GemmaError("ERR_FORBIDDEN", `origin: must be one that this server was told to allow, got ${origin}`, {
      hint: "start it with --allow-origin ORIGIN",
    });
  }
  const base = { "access-control-allow-origin": origin, vary: "Origin" };
  if (request.method !== "OPTIONS") return { ...base, "access-control-expose-headers": "x-request-id, retry-after" };
  return {
    ...base,
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "",
    "access-control-max-age": MAX_AGE_SECONDS,
  };
}

function isOwn(origin: string, host: string | null): boolean {
  try {
    return host !== null && new URL(origin).host === host.toLowerCase();
  } catch {
    return false;
  }
}
