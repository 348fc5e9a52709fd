// Numbers of a server, sampled while it works.
import { descriptors, memory } from "./proc.mjs";

/**
 * @param pid of the server
 * @param everyMs between samples
 * @param more () => object or promise of one: further fields of a sample
 * @returns {{ samples: { atMs, rssBytes, descriptors }[], stop(): Promise<void> }} atMs: since the start
 */
export function watchServer(pid, everyMs, more = () => ({})) {
  const start = performance.now();
  const samples = [];
  let busy = Promise.resolve();
  const sample = async () => {
    const atMs = performance.now() - start;
    const { rssBytes } = memory(pid);
    if (rssBytes > 0) samples.push({ atMs, rssBytes, descriptors: descriptors(pid), ...(await more()) });
  };
  const timer = setInterval(() => {
    busy = busy.then(sample).catch(() => {}); // it may just have ended: its end is noticed elsewhere
  }, everyMs);
  return {
    samples,
    stop() {
      clearInterval(timer);
      return busy;
    },
  };
}
