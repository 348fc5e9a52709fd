import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type ErrorCode, GemmaError } from "../../base/errors.js";

/** How an error is told over HTTP. */
export interface HttpFailure {
  readonly status: ContentfulStatusCode;
  /** OpenAI's word for its kind. */
  readonly type: string;
  /** OpenAI's code where it has one, else ours. */
  readonly code: string;
}

type Row = readonly [status: ContentfulStatusCode, type: string, code?: string];

const INVALID = "invalid_request_error";

/** Codes that say something about the request. All others are failures of the server: 500. */
const FAILURES: Partial<Record<ErrorCode, Row>> = {
  ERR_BAD_REQUEST: [400, INVALID],
  ERR_INVALID_JSON: [400, INVALID],
  ERR_INVALID_UTF8: [400, INVALID],
  ERR_DUPLICATE_NAME: [400, INVALID],
  ERR_LIMIT_EXCEEDED: [400, INVALID],
  ERR_RANGE: [400, INVALID],
  ERR_USAGE: [400, INVALID],
  ERR_SCHEMA: [400, INVALID, "invalid_json_schema"],
  ERR_TEMPLATE: [400, INVALID],
  ERR_TEMPLATE_BUDGET: [400, INVALID],
  ERR_INVALID_VALUE: [400, INVALID],
  ERR_INVALID_NAME: [400, INVALID],
  ERR_CONTEXT_FULL: [400, INVALID, "context_length_exceeded"],
  ERR_UNSUPPORTED_OPTION: [400, INVALID, "unsupported_value"],
  ERR_UNAUTHORIZED: [401, INVALID, "invalid_api_key"],
  ERR_FORBIDDEN: [403, INVALID, "forbidden"],
  ERR_PATH_ESCAPE: [403, INVALID],
  ERR_NOT_FOUND: [404, INVALID, "not_found"],
  ERR_UNKNOWN_MODEL: [404, INVALID, "model_not_found"],
  ERR_METHOD: [405, INVALID, "method_not_allowed"],
  ERR_BODY_TOO_LARGE: [413, INVALID, "request_too_large"],
  ERR_MEDIA_TYPE: [415, INVALID, "unsupported_media_type"],
  ERR_QUEUE_FULL: [429, "rate_limit_error", "queue_full"],
  ERR_RATE_LIMITED: [429, "rate_limit_error", "rate_limit_exceeded"],
  ERR_OVERLOADED: [503, "server_error", "overloaded"],
  ERR_DEADLINE: [503, "server_error", "timeout"],
  ERR_OUT_OF_MEMORY: [503, "server_error", "overloaded"],
  ERR_NOT_READY: [503, "server_error", "not_ready"],
  ERR_DISPOSED: [503, "server_error", "not_ready"],
  ERR_DEVICE_LOST: [503, "server_error", "not_ready"],
};

/** Seconds after which a refused client may try again, where the error does not say. */
const RETRY_AFTER_SECONDS = 5;

/** nginx's word for a client that has left: it stands in logs and metrics, nobody receives it. */
const CLIENT_LEFT = 499 as ContentfulStatusCode;

function isAbort(error: unknown): error is DOMException {
  return error instanceof DOMException && error.name === "AbortError";
}

export function httpFailure(error: unknown): HttpFailure {
  if (isAbort(error)) {
    return { status: CLIENT_LEFT, type: INVALID, code: "client_closed_request" };
  }
  const code = error instanceof GemmaError ? error.code : "ERR_INTERNAL";
  const [status, type, name] = FAILURES[code] ?? ([500, "server_error"] as const);
  return { status, type, code: name ?? code };
}

/** Why it died may name files of the server, and stands in the log. */
const ENGINE_DIED = "the engine has died under this request and is started again; send the request once more";

/** What a caller may read of an error: nothing of failures of the server, which may name its files and which the log has. */
export function publicMessage(error: unknown): string {
  if (isAbort(error)) return error.message;
  if (error instanceof GemmaError && error.code === "ERR_WORKER") return ENGINE_DIED;
  if (!(error instanceof GemmaError) || FAILURES[error.code] === undefined)
    return "an unexpected error; the server's log has it";
  return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
}

/** Headers of a refusal. */
export function failureHeaders(error: unknown, status: number): Record<string, string> {
  if (status !== 429 && status !== 503) return {};
  const seconds = error instanceof GemmaError ? error.retryAfterSeconds : undefined;
  return { "retry-after": String(Math.max(1, Math.ceil(seconds ?? RETRY_AFTER_SECONDS))) };
}

/** The body of an error in OpenAI's form. */
export interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

export function openAiError(error: unknown): OpenAiError {
  const { type, code } = httpFailure(error);
  const param = error instanceof GemmaError ? (error.param ?? null) : null;
  return { error: { message: publicMessage(error), type, param, code } };
}
