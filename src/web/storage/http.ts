import { GemmaError } from "../../base/errors.js";

export interface Failure {
  readonly error: unknown;
  /** Whether another attempt may bring more. */
  readonly isTransient: boolean;
}

/** What a status other than success means. */
export function statusFailure(from: string, status: number): Failure {
  if (status === 404 || status === 410) {
    return {
      error: new GemmaError("ERR_MISSING_FILE", `${from}: no such file (status ${status})`),
      isTransient: false,
    };
  }
  if (status === 401 || status === 403) {
    return {
      error: new GemmaError("ERR_GATED", `${from}: must be open to this page, got status ${status}`, {
        hint: "pass `headers` with an authorization, or serve the file yourself",
      }),
      isTransient: false,
    };
  }
  const isTransient = status >= 500 || status === 408 || status === 429;
  return {
    error: new GemmaError("ERR_NETWORK", `${from}: must answer with the file, got status ${status}`),
    isTransient,
  };
}

/** A strong ETag, or a date: what a part of a file has to have, too. */
export function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified") ?? undefined;
}

/** @throws the reason of an aborted signal */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  signal.throwIfAborted();
}
