import type { Running } from "../engine/engine.js";
import type { CallEvent } from "./protocol.js";

/** A call under way: how to tell of it, and how it is stopped. */
export interface Call {
  event(event: CallEvent): void;
  readonly signal: AbortSignal;
  /** When it came, on performance.now()'s clock. */
  readonly since: number;
}

/**
 * Starts a job, and cancels it when the caller gives it up.
 * @param abort a flag in shared memory that gives it up within a step; null: there is none
 */
export function runJob<T>(
  call: Call,
  abort: Int32Array | null,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => Running,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call.signal.throwIfAborted();
    const job = start(resolve, reject);
    job.watch(abort);
    call.signal.addEventListener("abort", () => job.cancel(call.signal.reason), { once: true });
  });
}
