import type { LogProbs } from "../../backend/ops/log-probs.js";
import { f32, i32 } from "./memory.js";
import { ranking } from "./ranking.js";

export const logProbs: LogProbs = (out, logitsTensor, targetsTensor) => {
  const logProbsOut = f32(out.logProbs); //       [R]
  const topIds = i32(out.topIds); //              [R, n]
  const topLogProbs = f32(out.topLogProbs); //    [R, n]
  const logits = f32(logitsTensor); //            [R, V]
  const targets = i32(targetsTensor); //          [R]
  const vocabulary = logitsTensor.shape[1]!;
  const n = out.topIds.shape[1]!;
  for (const [r, target] of targets.entries()) {
    const row = logits.subarray(r * vocabulary, (r + 1) * vocabulary);
    const normaliser = logSumExp(row);
    logProbsOut[r] = target >= 0 && target < vocabulary ? row[target]! - normaliser : Number.NaN;
    if (n === 0) continue;
    for (const [i, id] of ranking(row).subarray(0, n).entries()) {
      topIds[r * n + i] = id;
      topLogProbs[r * n + i] = row[id]! - normaliser;
    }
  }
};

function logSumExp(row: Float32Array): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
}
