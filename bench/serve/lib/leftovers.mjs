// Whether a server that nobody asks anything has let go of everything.
import { setTimeout as sleep } from "node:timers/promises";
import { parseMetrics, total } from "./metrics.mjs";

const POLL_MS = 50;

/**
 * Waits until no request runs or waits and each page is free or remembered for later prompts.
 *
 * @returns {Promise<string>} what is still held after `withinMs`; "" when nothing is
 */
export async function leftovers(client, withinMs) {
  let held = "";
  for (const end = performance.now() + withinMs; ; await sleep(POLL_MS)) {
    held = heldBy(parseMetrics(await client.text("/metrics")));
    if (held === "" || performance.now() > end) return held;
  }
}

/** @returns {string} "2 requests running, 14 pages" */
export function heldBy(metrics) {
  const pages = (state) => total(metrics, "gemma_cache_pages", { state });
  const counts = {
    "requests running": total(metrics, "gemma_num_requests_running"),
    "requests waiting": total(metrics, "gemma_num_requests_waiting"),
    pages: pages("total") - pages("free") - pages("remembered"),
  };
  const held = Object.entries(counts).filter(([, count]) => count !== 0);
  return held.map(([what, count]) => `${count} ${what}`).join(", ");
}
