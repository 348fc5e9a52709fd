import type { SampleRow } from "../../backend/ops/sample.js";

/** The parameters of all rows in the form that the addon reads; see sample in addon-sample.cc. */
export interface PackedSampleRows {
  readonly numbers: Float64Array; // [R, 12]
  readonly ids: Int32Array;
  readonly biasValues: Float32Array;
  readonly masks: Uint32Array;
}

const NUMBERS_A_ROW = 12;

/** @param maskWords words of a mask that the addon reads: ceil(V / 32) */
export function packSampleRows(rows: readonly SampleRow[], maskWords: number): PackedSampleRows {
  let biased = 0;
  let seen = 0;
  let masked = 0;
  for (const row of rows) {
    biased += row.biasIds.length;
    seen += row.penaltyIds.length;
    if (row.mask !== null) masked += 1;
  }
  const numbers = new Float64Array(rows.length * NUMBERS_A_ROW);
  const ids = new Int32Array(biased + 2 * seen);
  const biasValues = new Float32Array(biased);
  const masks = new Uint32Array(masked * maskWords);
  let nextId = 0;
  let nextBias = 0;
  let nextMask = 0;
  for (const [r, row] of rows.entries()) {
    const { temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed, index } = row;
    const lengths = [row.biasIds.length, row.penaltyIds.length, row.mask === null ? 0 : 1];
    const penalties = [repetitionPenalty, frequencyPenalty, presencePenalty];
    numbers.set([temperature, topK, topP, minP, ...penalties, seed, index, ...lengths], r * NUMBERS_A_ROW);
    for (const values of [row.biasIds, row.penaltyIds, row.penaltyCounts]) {
      ids.set(values, nextId);
      nextId += values.length;
    }
    biasValues.set(row.biasValues, nextBias);
    nextBias += row.biasValues.length;
    if (row.mask === null) continue;
    masks.set(row.mask.subarray(0, maskWords), nextMask);
    nextMask += maskWords;
  }
  return { numbers, ids, biasValues, masks };
}
