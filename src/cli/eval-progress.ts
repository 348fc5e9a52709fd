import type { RunProgress } from "../eval/run.js";
import { formatSeconds } from "./progress.js";

/** How far a run is. */
export function describeProgress({ task, done, total, itemsPerSecond, remainingSeconds, score }: RunProgress): string {
  const pace = paceText(done, total, itemsPerSecond, remainingSeconds);
  return `${done} of ${total} items, ${pace}; ${task} ${(100 * score).toFixed(1)} % right so far`;
}

/** "12/s, 1 min 5 s left" */
export function paceText(done: number, total: number, perSecond: number, remainingSeconds: number): string {
  const rate = perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toPrecision(2);
  return `${rate}/s${done === total ? "" : `, ${formatSeconds(remainingSeconds)} left`}`;
}
