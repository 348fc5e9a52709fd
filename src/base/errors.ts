/**
 * Every code that a GemmaError can carry, with its meaning. Codes are stable: scripts may match on them.
 * `docs/errors.md` is generated from this table.
 */
export const ERROR_CODES = {
  // Files
  ERR_BAD_MAGIC: "the first bytes are not the format's",
  ERR_UNSUPPORTED_VERSION: "a known container in an unknown version or byte order",
  ERR_TRUNCATED: "the file ends before what its header announces",
  ERR_LIMIT_EXCEEDED: "a count or size is absurd; refused before allocating",
  ERR_OVERFLOW: "a product or sum does not fit",
  ERR_OUT_OF_BOUNDS: "an offset or range lies outside the file",
  ERR_MISALIGNED: "an offset breaks the alignment",
  ERR_OVERLAP: "two ranges share bytes",
  ERR_HOLE: "bytes that belong to no tensor",
  ERR_TRAILING_DATA: "bytes after the end",
  ERR_DUPLICATE_NAME: "a name or id twice",
  ERR_INVALID_NAME: "a name is too long, empty or has characters that are not allowed",
  ERR_INVALID_TYPE: "a wrong or unknown value type",
  ERR_INVALID_DTYPE: "an unknown or unusable tensor type",
  ERR_INVALID_UTF8: "text that is not UTF-8",
  ERR_INVALID_JSON: "not JSON, or not the JSON type needed",
  ERR_INVALID_HEADER: "the structure of a header is wrong",
  ERR_INVALID_SHAPE: "dimensions are wrong in themselves",
  ERR_SHAPE_MISMATCH: "dimensions do not fit the configuration",
  ERR_MISSING_TENSOR: "a needed tensor is absent",
  ERR_MISSING_KEY: "a needed key is absent",
  ERR_MISSING_FILE: "a needed file is absent",
  ERR_INVALID_VALUE: "a value outside its range (NaN, negative, zero, ...)",
  ERR_UNSUPPORTED_ARCH: "another architecture",
  ERR_UNSUPPORTED_OPTION: "a known option that is not supported",
  ERR_BASE_MISMATCH: "an adapter or a draft model does not fit the base model",
  ERR_PATH_ESCAPE: "a name leads out of its directory",
  ERR_CHECKSUM: "a checksum does not match",
  ERR_FORBIDDEN_FORMAT: "a format that can run code when it is read (pickle), refused",
  ERR_IO: "the operating system refused a read or a write",
  ERR_DISK_FULL: "no space left on the device",
  // Sources
  ERR_UNKNOWN_MODEL: "no model has this name",
  ERR_OFFLINE: "a download is needed, and offline mode is on",
  ERR_NETWORK: "the network or the remote server failed",
  ERR_GATED: "the model's owner asks for a login or an accepted licence",
  ERR_FORBIDDEN_ADDRESS: "a host or address that downloads must not reach",
  ERR_TOOL_MISSING: "a program that this step needs is not installed",
  // Calls
  ERR_USAGE: "wrong usage of a command or an option",
  ERR_SHAPE: "a tensor given to an operation has the wrong shape or type",
  ERR_RANGE: "a number given to an operation or an option is outside its range",
  ERR_CONTEXT_FULL: "the prompt does not fit the context",
  ERR_OUT_OF_MEMORY: "memory or cache pages do not suffice",
  ERR_UNSUPPORTED_OP: "this backend has no kernel for an operation, or the tape no gradient of it",
  ERR_BACKEND_UNAVAILABLE: "this backend cannot run here",
  ERR_BACKEND: "the backend failed inside",
  ERR_DEVICE_LOST: "the GPU was reset, taken away or put to sleep",
  ERR_DISPOSED: "used after dispose()",
  ERR_DEADLINE: "the request did not end within its deadlineMs",
  ERR_SCHEMA: "a JSON schema that cannot be enforced",
  ERR_TEMPLATE_BUDGET: "a chat template ran longer or wrote more than allowed",
  ERR_TEMPLATE: "a chat template failed, or the messages do not fit it",
  ERR_SANDBOX: "the sandbox for programs does not start",
  ERR_WORKER: "the engine's worker ended unexpectedly",
  ERR_BAD_DATA: "lines of a data set are no examples to learn from; the message lists them",
  ERR_DIVERGED: "a loss or gradient of training is no number any more",
  ERR_REGRESSION: "a tuned model fell by more than was allowed",
  // The server
  ERR_BAD_REQUEST: "a request that is not what the API takes",
  ERR_NOT_FOUND: "no such path or thing",
  ERR_METHOD: "this path takes other methods",
  ERR_UNAUTHORIZED: "a key is missing, unknown or expired",
  ERR_FORBIDDEN: "this host, origin or key may not do this",
  ERR_BODY_TOO_LARGE: "a request body beyond the limit",
  ERR_MEDIA_TYPE: "a request body of another type than JSON",
  ERR_QUEUE_FULL: "too many requests wait already",
  ERR_RATE_LIMITED: "a key's requests or tokens a minute are used up",
  ERR_OVERLOADED: "a request waited too long for its turn",
  ERR_NOT_READY: "the model is loading, restarting or shutting down",
  ERR_INTERNAL: "an unexpected failure: a bug",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface GemmaErrorOptions {
  /** What to do next, ideally a command. Shown on its own line. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The field of a request that is meant, e.g. `messages[0].content`. */
  readonly param?: string;
  /** When to try again. */
  readonly retryAfterSeconds?: number;
}

/**
 * The one error class. `message` reads `where: what must hold, got actual`.
 *
 * @example throw new GemmaError("ERR_SHAPE", "rmsNorm: weight must be [2048] (D), got [3072]");
 */
export class GemmaError extends Error {
  override readonly name = "GemmaError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: GemmaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.param = options.param;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** The wire form: workers and `--json` send it. */
  toJSON(): { code: ErrorCode; message: string; hint?: string } {
    return { code: this.code, message: this.message, ...(this.hint === undefined ? {} : { hint: this.hint }) };
  }

  /** The reverse of toJSON. A `stack` is where the error happened, in another thread. */
  static fromJSON(json: { code: ErrorCode; message: string; hint?: string; stack?: string }): GemmaError {
    const error = new GemmaError(json.code, json.message, json.hint === undefined ? {} : { hint: json.hint });
    if (json.stack !== undefined) error.stack = json.stack;
    return error;
  }
}

/** Turns an error of the operating system into a GemmaError; GemmaErrors and aborts pass unchanged. */
export function fromSystemError(
  error: unknown,
  what: string,
  room = "free some space, or write to another disk",
): unknown {
  if (error instanceof GemmaError || !(error instanceof Error) || !("code" in error)) return error;
  const code = String(error.code);
  if (code === "ENOENT")
    return new GemmaError("ERR_MISSING_FILE", `${what}: no such file or directory`, { cause: error });
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new GemmaError("ERR_DISK_FULL", `${what}: no space left on the device`, {
      cause: error,
      hint: room,
    });
  }
  if (/^E[A-Z]+$/.test(code)) return new GemmaError("ERR_IO", `${what}: ${systemReason(code)}`, { cause: error });
  return error;
}

function systemReason(code: string): string {
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "is a directory";
  if (code === "ENOTDIR") return "a part of the path is not a directory";
  if (code === "EROFS") return "the file system is read-only";
  return code;
}
