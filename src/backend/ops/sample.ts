import { GemmaError } from "../../base/errors.js";
import { expectInteger, expectMatrix, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

/** How one row's next token is chosen. Steps apply in the order of the fields from `bias` on. */
export interface SampleRow {
  /** Bit i of word i >> 5 set: id i is allowed. null: all are. */
  readonly mask: Uint32Array | null; // [ceil(V / 32)]
  /** Added to the logits of these ids. */
  readonly biasIds: Int32Array;
  readonly biasValues: Float32Array;
  /** Ids seen before and how often, for the penalties. */
  readonly penaltyIds: Int32Array;
  readonly penaltyCounts: Int32Array;
  /** 1: off. A seen id's logit is divided by it if positive, multiplied if negative. */
  readonly repetitionPenalty: number;
  /** Subtracted times the count. */
  readonly frequencyPenalty: number;
  /** Subtracted once. */
  readonly presencePenalty: number;
  /** 0: the most likely id (the lowest of equals), and nothing below applies. */
  readonly temperature: number;
  /** Keep the k most likely; 0: all. */
  readonly topK: number;
  /** Keep the smallest set of most likely ids whose probabilities sum to at least topP; 1: all. */
  readonly topP: number;
  /** Keep ids with p >= minP · max p; 0: all. */
  readonly minP: number;
  /** The draw is uniformAt(seed, index): index counts this sequence's samples. */
  readonly seed: number;
  readonly index: number;
}

/**
 * Draws one id a row from softmax(logits' / temperature), logits' being the logits after mask, bias and penalties;
 * then top-k, top-p and min-p, each on the probabilities renormalised over what the one before kept.
 * Candidates are walked from the most likely down (equal logits: the lower id first) until the cumulated probability
 * exceeds the uniform draw. With every id masked the result is -1. NaN logits count as -infinity.
 *
 * @param out    i32 [R], overwritten
 * @param logits f32 [R, V], unchanged
 * @param rows   R parameter sets
 */
export type Sample = (out: Tensor, logits: Tensor, rows: readonly SampleRow[]) => void;

export function checkSample(...[out, logits, rows]: Parameters<Sample>): void {
  const [count, vocabulary] = expectMatrix("sample", "logits", logits, "R, V");
  expectShape("sample", "out", out, [count], "R", "i32");
  expectInteger("sample", "rows.length", rows.length, count, count);
  for (const row of rows) {
    if (row.mask !== null) expectInteger("sample", "mask.length", row.mask.length, Math.ceil(vocabulary / 32), 2 ** 31);
    expectInteger("sample", "biasValues.length", row.biasValues.length, row.biasIds.length, row.biasIds.length);
    const seen = row.penaltyIds.length;
    expectInteger("sample", "penaltyCounts.length", row.penaltyCounts.length, seen, seen);
    expectInteger("sample", "topK", row.topK, 0, 2 ** 31 - 1);
    expectInteger("sample", "seed", row.seed, 0, Number.MAX_SAFE_INTEGER);
    expectInteger("sample", "index", row.index, 0, Number.MAX_SAFE_INTEGER);
    within("temperature", row.temperature, 0, 100);
    within("topP", row.topP, 0, 1);
    within("minP", row.minP, 0, 1);
    within("repetitionPenalty", row.repetitionPenalty, 1e-3, 1e3);
    within("frequencyPenalty", row.frequencyPenalty, -100, 100);
    within("presencePenalty", row.presencePenalty, -100, 100);
  }
}

function within(argument: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new GemmaError("ERR_RANGE", `sample: ${argument} must be in ${min}..${max}, got ${value}`);
}
