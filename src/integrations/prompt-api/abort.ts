/** Settles as `work` does, or rejects with the signal's reason as soon as it is aborted. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Runs `work` with a signal that any of `signals` aborts. Not AbortSignal.any: on Node 20 a long-lived signal would
 * remember every call.
 */
export async function withSignals<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const links = signals.flatMap((signal) => (signal ? [{ signal, abort: () => controller.abort(signal.reason) }] : []));
  for (const { signal, abort } of links) {
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  }
  try {
    controller.signal.throwIfAborted();
    return await work(controller.signal);
  } finally {
    for (const { signal, abort } of links) signal.removeEventListener("abort", abort);
  }
}
