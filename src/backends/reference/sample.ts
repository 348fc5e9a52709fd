import type { Sample, SampleRow } from "../../backend/ops/sample.js";
import { uniformAt } from "../../base/rng.js";
import { f32, i32 } from "./memory.js";
import { ranking } from "./ranking.js";

export const sample: Sample = (outTensor, logitsTensor, rows) => {
  const out = i32(outTensor); //       [R]
  const logits = f32(logitsTensor); // [R, V]
  const vocabulary = logitsTensor.shape[1]!;
  for (const [r, row] of rows.entries()) {
    out[r] = draw(adjust(logits.slice(r * vocabulary, (r + 1) * vocabulary), row), row);
  }
};

/** Mask, bias and penalties, each step rounded to f32 by being stored. */
function adjust(logits: Float32Array, row: SampleRow): Float32Array {
  const { mask } = row;
  const known = (id: number) => id >= 0 && id < logits.length;
  if (mask !== null) {
    for (const id of logits.keys())
      if (((mask[id >> 5]! >>> (id & 31)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
  }
  for (const [i, id] of row.biasIds.entries()) if (known(id)) logits[id]! += row.biasValues[i]!;

  const repetition = Math.fround(row.repetitionPenalty);
  const frequency = Math.fround(row.frequencyPenalty);
  const presence = Math.fround(row.presencePenalty);
  for (const [i, id] of row.penaltyIds.entries()) {
    if (!known(id)) continue;
    logits[id] = logits[id]! > 0 ? logits[id]! / repetition : logits[id]! * repetition;
    logits[id]! -= Math.fround(frequency * row.penaltyCounts[i]!);
    if (row.penaltyCounts[i]! > 0) logits[id]! -= presence;
  }
  return logits.map((logit) => (Number.isNaN(logit) ? Number.NEGATIVE_INFINITY : logit));
}

/** The id drawn from adjusted logits, -1 where none is possible. */
function draw(logits: Float32Array, row: SampleRow): number {
  const ranked = ranking(logits);
  const first = ranked[0];
  if (first === undefined || logits[first] === Number.NEGATIVE_INFINITY) return -1;
  if (row.temperature === 0) return first;

  const max = logits[first]!;
  let ids = ranked.filter((id) => logits[id]! > Number.NEGATIVE_INFINITY);
  if (row.topK > 0) ids = ids.subarray(0, row.topK);
  // The greatest weight is 1 also where the logit is infinite and the difference no number.
  const weights = Float64Array.from(ids, (id) =>
    logits[id] === max ? 1 : Math.exp((logits[id]! - max) / row.temperature),
  );
  let kept = ids.length;
  if (row.topP < 1) kept = firstReaching(weights, kept, row.topP, (sum, goal) => sum >= goal) + 1;
  while (kept > 1 && weights[kept - 1]! < row.minP) kept--;
  const uniform = uniformAt(row.seed, row.index);
  return ids[firstReaching(weights, kept, uniform, (sum, goal) => sum > goal)]!;
}

/** Index at which the running sum of the first `count` weights reaches a share of their total; at most count - 1. */
function firstReaching(
  weights: Float64Array,
  count: number,
  share: number,
  reached: (sum: number, goal: number) => boolean,
): number {
  const considered = weights.subarray(0, count);
  const total = considered.reduce((a, b) => a + b, 0);
  let sum = 0;
  const index = considered.findIndex((weight) => {
    sum += weight;
    return reached(sum, share * total);
  });
  return index < 0 ? count - 1 : index;
}
