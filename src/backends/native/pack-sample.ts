import type { SampleRow } from "../../backend/ops/sample.js";

/** The parameters of R rows as arrays: the native side reads numbers alone. addon-sample.cc has the other end. */
export interface PackedSampleRows {
  /** f64 [R, 12]: the scalars, the lengths of a row's lists, and whether it has a mask. */
  readonly numbers: Float64Array;
  /** Per row: ids of the bias, ids of the penalties, counts of the penalties. */
  readonly ids: Int32Array;
  readonly biasValues: Float32Array;
  /** Per row with a mask: ceil(V / 32) words. */
  readonly masks: Uint32Array;
}

const NUMBERS_A_ROW = 12;

export function packSampleRows(rows: readonly SampleRow[], vocabulary: number): PackedSampleRows {
  const maskWords = Math.ceil(vocabulary / 32);
  const sum = (count: (row: SampleRow) => number) => rows.reduce((total, row) => total + count(row), 0);
  const numbers = new Float64Array(rows.length * NUMBERS_A_ROW);
  const ids = new Int32Array(sum((row) => row.biasIds.length + row.penaltyIds.length + row.penaltyCounts.length));
  const biasValues = new Float32Array(sum((row) => row.biasValues.length));
  const masks = new Uint32Array(sum((row) => (row.mask === null ? 0 : maskWords)));
  let idAt = 0;
  let biasAt = 0;
  let maskAt = 0;
  for (const [r, row] of rows.entries()) {
    const scalars = [row.temperature, row.topK, row.topP, row.minP];
    const penalties = [row.repetitionPenalty, row.frequencyPenalty, row.presencePenalty];
    const lengths = [row.biasIds.length, row.penaltyIds.length, row.mask === null ? 0 : 1];
    numbers.set([...scalars, ...penalties, row.seed, row.index, ...lengths], r * NUMBERS_A_ROW);
    for (const list of [row.biasIds, row.penaltyIds, row.penaltyCounts]) {
      ids.set(list, idAt);
      idAt += list.length;
    }
    biasValues.set(row.biasValues, biasAt);
    biasAt += row.biasValues.length;
    if (row.mask === null) continue;
    masks.set(row.mask.subarray(0, maskWords), maskAt);
    maskAt += maskWords;
  }
  return { numbers, ids, biasValues, masks };
}
