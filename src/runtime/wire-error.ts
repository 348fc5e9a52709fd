import { fromSystemError, GemmaError } from "../base/errors.js";
import type { FromWorker } from "./protocol.js";

/** An abort is told apart from a failure: the caller rejects with its own signal's reason. */
export function wireError(error: unknown, signal: AbortSignal): Extract<FromWorker, { type: "error" }>["error"] {
  // The flag in shared memory may have ended the work before the message that says so was read.
  const isAbort = error instanceof DOMException && error.name === "AbortError";
  if (signal.aborted || isAbort) return { abort: true };
  const known = fromSystemError(error, "engine");
  const stack = isDebugging() && error instanceof Error && error.stack ? { stack: error.stack } : {};
  if (known instanceof GemmaError) return { ...known.toJSON(), ...stack };
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "ERR_INTERNAL",
    message: `unexpected: ${message}`,
    hint: "this is a bug, or an option of a wrong type",
    ...stack,
  };
}

/** Pages have no environment. */
function isDebugging(): boolean {
  return typeof process === "object" && Boolean(process.env?.GEMMA_DEBUG);
}
