import { deadlineError, type ResolvedRequest } from "../engine/options.js";

/** Runs what a request waits for outside the engine, which knows its deadline: the signal aborts then as well. */
export async function untilDeadline<T>(
  request: ResolvedRequest,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const left = request.deadline - performance.now();
  const isLate = () => controller.abort(deadlineError(request));
  const timer = Number.isFinite(left) ? setTimeout(isLate, Math.max(0, left)) : undefined;
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
