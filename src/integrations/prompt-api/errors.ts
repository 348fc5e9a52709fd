import { GemmaError } from "../../base/errors.js";

/** A DOMException by its name in the draft. */
export function domException(name: string, message: string, cause?: unknown): DOMException {
  const error = new DOMException(message, name);
  if (cause !== undefined) Object.defineProperty(error, "cause", { value: cause, configurable: true });
  return error;
}

/** The session's tokens do not fit the context window. */
export class QuotaExceeded extends DOMException {
  constructor(
    /** Tokens that the context would hold. */
    readonly requested: number,
    /** Tokens that it can hold. */
    readonly quota: number,
  ) {
    super(`the context window holds ${quota} tokens, got ${requested}`, "QuotaExceededError");
  }
}

/** What a failed prompt rejects with: the draft's errors and reasons of aborts as they are, others by their code. */
export function promptError(error: unknown): unknown {
  if (!(error instanceof GemmaError)) return error;
  return domException(error.code === "ERR_SCHEMA" ? "NotSupportedError" : "UnknownError", error.message, error);
}

/** What a failed creation rejects with. */
export function creationError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DOMException) return error;
  const network = error instanceof GemmaError && ["ERR_NETWORK", "ERR_OFFLINE", "ERR_GATED"].includes(error.code);
  return domException(network ? "NetworkError" : "OperationError", error.message, error);
}
