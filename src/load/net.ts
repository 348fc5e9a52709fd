import { readFileSync } from "node:fs";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { EnvHttpProxyAgent, request } from "undici";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { forbiddenAddress, guardedLookup, isPublicAddress, type Resolver, systemResolver } from "./addresses.js";
import { describeUrl } from "./spec.js";

/** The one way to the network: HTTPS to public addresses, through the proxy and with the certificates of `env`. */
export interface Net {
  /**
   * GET with redirects followed by hand. The caller reads or destroys the body.
   * @throws ERR_FORBIDDEN_ADDRESS, or what undici throws (see explainFailure)
   */
  get(url: URL, options: GetOptions): Promise<NetResponse>;
  close(): Promise<void>;
}

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Goes to the first origin only: a redirect to another host does not see it. */
  readonly authorization?: string | undefined;
  /** Hosts that this source may use, redirects included. */
  readonly allowHost: (host: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface NetResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Uint8Array> & { destroy(): unknown };
}

export interface NetOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Longest silence of a server, before and within an answer. Default 30 s. */
  readonly stallMs?: number;
  /** For tests: names to addresses, and the addresses that may be connected to. */
  readonly resolver?: Resolver;
  readonly isAllowedAddress?: (address: string) => boolean;
  /** For tests: certificates in place of those of `env`. */
  readonly secureContext?: SecureContext;
}

const MAX_REDIRECTS = 8;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function createNet(options: NetOptions): Net {
  const { env, stallMs = 30_000, resolver = systemResolver, isAllowedAddress = isPublicAddress } = options;
  const secureContext = options.secureContext ?? trustedCertificates(env);
  const tls = secureContext === undefined ? {} : { secureContext };
  const dispatcher = createDispatcher(env, {
    connect: { ...tls, lookup: guardedLookup(resolver, isAllowedAddress) },
    // A proxy may well have a private address; behind it, the list of hosts is the guard that remains.
    requestTls: tls,
    proxyTls: tls,
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
  });

  function check(url: URL, allowHost: (host: string) => boolean): void {
    if (url.protocol !== "https:") throw forbidden(`${url.protocol}//${url.host}`, "be an https address");
    if (url.username !== "" || url.password !== "") throw forbidden(url.host, "carry no user name");
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // Sockets do not look up literal addresses, so the guard of the lookup would not see them.
    const isLiteral = /^[0-9.]+$/.test(host) || host.includes(":");
    if (isLiteral && !isAllowedAddress(host)) throw forbiddenAddress(url.host, host);
    if (/(^|\.)localhost\.?$/.test(host) && !isAllowedAddress("127.0.0.1")) throw forbiddenAddress(url.host, host);
    if (!allowHost(host)) throw forbidden(url.host, "be one of this source's hosts");
  }

  return {
    async get(first, { headers, authorization, allowHost, signal }) {
      let url = first;
      for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
        check(url, allowHost);
        const response = await request(url, {
          dispatcher,
          signal: signal ?? null,
          headers: {
            "user-agent": "gemma-ts",
            "accept-encoding": "identity", // sizes and ranges are those of the file
            ...headers,
            ...(authorization !== undefined && url.origin === first.origin ? { authorization } : {}),
          },
        });
        // Whoever reads the body sees its errors; one that is thrown away must not bring the process down.
        response.body.on("error", () => {});
        if (!REDIRECTS.has(response.statusCode)) {
          return { status: response.statusCode, headers: plainHeaders(response.headers), body: response.body };
        }
        await response.body.dump();
        url = redirectTarget(plainHeaders(response.headers).get("location"), url);
      }
      throw new GemmaError(
        "ERR_NETWORK",
        `${describeUrl(first)}: must redirect at most ${MAX_REDIRECTS} times, got more`,
      );
    },
    close: () => dispatcher.destroy(),
  };
}

function redirectTarget(location: string | undefined, from: URL): URL {
  // `https://good\@evil/`: URL parsers disagree about the host of an address with a backslash.
  if (location === undefined || /[\\\s]/.test(location) || !URL.canParse(location, from)) {
    throw forbidden(from.host, "redirect to a well-formed address");
  }
  return new URL(location, from);
}

function forbidden(host: string, must: string): GemmaError {
  return new GemmaError("ERR_FORBIDDEN_ADDRESS", `download: the address must ${must}, got ${host}`);
}

function plainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): ReadonlyMap<string, string> {
  const plain = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const single = Array.isArray(value) ? value[0] : value;
    if (single !== undefined) plain.set(name.toLowerCase(), single);
  }
  return plain;
}

function createDispatcher(env: NodeJS.ProcessEnv, options: EnvHttpProxyAgent.Options): EnvHttpProxyAgent {
  const proxy = env.https_proxy || env.HTTPS_PROXY || env.all_proxy || env.ALL_PROXY || "";
  try {
    return new EnvHttpProxyAgent({
      ...options,
      httpProxy: "", // only https is spoken; "" also keeps undici from reading the variables itself
      httpsProxy: proxy,
      noProxy: env.no_proxy || env.NO_PROXY || "",
    });
  } catch {
    throw new GemmaError(
      "ERR_USAGE",
      "HTTPS_PROXY: must be an address like http://proxy.example:3128, got another form",
    );
  }
}

/** The certificates to trust beside Node's own, if the environment names any. */
function trustedCertificates(env: NodeJS.ProcessEnv): SecureContext | undefined {
  const files = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"].filter((name) => env[name]);
  if (files.length === 0) return undefined; // NODE_EXTRA_CA_CERTS alone works by itself
  const named = env.NODE_EXTRA_CA_CERTS ? [...files, "NODE_EXTRA_CA_CERTS"] : files;
  const bundles = [...new Set(named.map((name) => env[name]!))].map((path) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw fromSystemError(error, `${path} (named by ${named.find((name) => env[name] === path)})`);
    }
  });
  return createSecureContext({ ca: [...rootCertificates, ...bundles] });
}
