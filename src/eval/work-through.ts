/** Enough for a model that computes requests together, and little to lose when a run is stopped. */
const UNDER_WORK = 32;

export interface WorkOptions {
  /** Items under work at a time. */
  readonly underWork?: number;
  readonly signal?: AbortSignal;
}

/**
 * Does `work` for every item, many at a time, begun in their order.
 *
 * @param work gets a signal that is aborted with `options.signal`, or when another item has failed
 * @throws what the first failing item threw, or the reason of the signal, once those under work have ended
 */
export async function workThrough<T>(
  items: readonly T[],
  { underWork = UNDER_WORK, signal }: WorkOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const running = new Set<AbortController>(); // each item its own: listeners of many would gather on one signal
  const fail = (reason: unknown) => {
    failure.abort(reason); // the first reason stays
    for (const item of running) item.abort(failure.signal.reason);
  };
  const stop = () => fail(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  let next = 0;
  const worker = async () => {
    while (next < items.length && !failure.signal.aborted) {
      const item = items[next++]!;
      const controller = new AbortController();
      running.add(controller);
      try {
        await work(item, controller.signal);
      } catch (error) {
        fail(error);
      } finally {
        running.delete(controller);
      }
    }
  };
  await Promise.all(Array.from({ length: underWork }, worker));
  signal?.removeEventListener("abort", stop);
  failure.signal.throwIfAborted();
}
