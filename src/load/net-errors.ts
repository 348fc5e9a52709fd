import { fromSystemError, GemmaError } from "../base/errors.js";

/** Why a request or a transfer failed, and whether a second attempt may help. */
export interface Failure {
  readonly error: unknown;
  readonly transient: boolean;
}

const TRANSIENT: Readonly<Record<string, string>> = {
  ENOTFOUND: "the host name has no address (no network, or a wrong name)",
  EAI_AGAIN: "the name server does not answer (no network?)",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "no answer in time",
  ENETUNREACH: "the network is unreachable",
  EHOSTUNREACH: "the host is unreachable",
  ENETDOWN: "the network is down",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "the transfer stalled",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection was cut",
  UND_ERR_DESTROYED: "the connection was cut",
};

/**
 * Puts what undici, TLS or the operating system threw into one line. GemmaErrors pass unchanged.
 * @param where host and path without query: never headers, which carry tokens
 */
export function explainFailure(error: unknown, where: string): Failure {
  if (error instanceof GemmaError || !(error instanceof Error)) return { error, transient: false };
  const code = "code" in error ? String(error.code) : "";
  const reason = TRANSIENT[code];
  if (reason !== undefined) return { error: networkError(where, reason, error), transient: true };
  // Node's names for certificate trouble: CERT_HAS_EXPIRED, SELF_SIGNED_CERT_IN_CHAIN, UNABLE_TO_VERIFY_...
  if (/CERT|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code)) {
    const hint = "behind a proxy that inspects traffic, name its certificate with NODE_EXTRA_CA_CERTS or SSL_CERT_FILE";
    return { error: networkError(where, `no trusted TLS connection (${code})`, error, hint), transient: false };
  }
  if (code.startsWith("UND_ERR")) return { error: networkError(where, error.message, error), transient: false };
  return { error: fromSystemError(error, where), transient: false };
}

function networkError(where: string, reason: string, cause: Error, hint?: string): GemmaError {
  return new GemmaError("ERR_NETWORK", `${where}: must be reachable, got: ${reason}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The error of a status that is not success. */
export function statusError(where: string, status: number): Failure {
  const transient = status >= 500 || status === 429 || status === 408;
  const code = status === 404 || status === 410 ? "ERR_MISSING_FILE" : "ERR_NETWORK";
  return { error: new GemmaError(code, `${where}: must be available, got HTTP status ${status}`), transient };
}
