import { expectInteger, expectMatrix, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

export interface LogProbsOutput {
  /** f32 [R]: log p(targets[r]) in nats. */
  readonly logProbs: Tensor;
  /** i32 [R, n]: the n most likely ids, most likely first; equal logits: the lower id first. */
  readonly topIds: Tensor;
  /** f32 [R, n] */
  readonly topLogProbs: Tensor;
}

/**
 * Natural log-probabilities under softmax(logits) of one target a row, and of the n most likely ids.
 * The normaliser is accumulated in f64. A target outside 0..V-1 yields NaN (the engine checks ids).
 *
 * @param out     the tensors above; n may be 0 (shape [R, 0])
 * @param logits  f32 [R, V]
 * @param targets i32 [R]
 */
export type LogProbs = (out: LogProbsOutput, logits: Tensor, targets: Tensor) => void;

export function checkLogProbs(...[out, logits, targets]: Parameters<LogProbs>): void {
  const [rows, vocabulary] = expectMatrix("logProbs", "logits", logits, "R, V");
  expectShape("logProbs", "targets", targets, [rows], "R", "i32");
  expectShape("logProbs", "out.logProbs", out.logProbs, [rows], "R");
  const top = out.topIds.shape[1] ?? -1;
  expectInteger("logProbs", "n", top, 0, vocabulary);
  expectShape("logProbs", "out.topIds", out.topIds, [rows, top], "R, n", "i32");
  expectShape("logProbs", "out.topLogProbs", out.topLogProbs, [rows, top], "R, n");
}
