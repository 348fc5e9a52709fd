import { STATUS_CODES } from "node:http";
import type { ErrorCode } from "../../base/errors.js";

// Errors that are answered before, or instead of, the application: they have its form.

export const MAX_HEADER_BYTES = 16 << 10;

const REFUSALS: Readonly<Record<string, { status: number; code: ErrorCode; message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    ...{ status: 431, code: "ERR_BAD_REQUEST" },
    message: `headers: must have at most ${MAX_HEADER_BYTES} bytes, got more`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: "ERR_DEADLINE",
    message: "request: must arrive in its time, got a part",
  },
};
const NO_HTTP = {
  status: 400,
  code: "ERR_BAD_REQUEST",
  message: "request: must be HTTP/1.1, got something else",
} as const;

/**
 * The answer to what is no request, as bytes: there is nothing yet that could write it.
 * @param reason  the code of Node's error
 */
export function refusal(reason = ""): string {
  const { status, code, message } = REFUSALS[reason] ?? NO_HTTP;
  const body = errorBody(status, code, message);
  return [
    ...[`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, "Connection: close", "Content-Type: application/json"],
    ...[`Content-Length: ${Buffer.byteLength(body)}`, "", body],
  ].join("\r\n");
}

/** An error in OpenAI's form. */
export function errorResponse(status: number, code: ErrorCode, message: string): Response {
  return new Response(errorBody(status, code, message), { status, headers: { "content-type": "application/json" } });
}

function errorBody(status: number, code: ErrorCode, message: string): string {
  const type = status < 500 ? "invalid_request_error" : "server_error";
  return JSON.stringify({ error: { message, type, param: null, code } });
}
