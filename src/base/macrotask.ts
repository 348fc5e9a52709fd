/** Resolves in a later turn of the event loop, so that messages and timers are served first. */
export function macrotask(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Pauses of long work: others go on, and who gives up is heard. They throw the reason of an aborted signal. */
export function pauses(signal?: AbortSignal): () => Promise<void> {
  return async () => {
    await macrotask();
    signal?.throwIfAborted();
  };
}
