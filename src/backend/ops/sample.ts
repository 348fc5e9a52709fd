import { expectInteger, expectMatrix, expectVector, expectWithin, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/** How one row's next token is chosen. Steps apply in the order of the fields from `bias` on. */
export interface SampleRow {
  /** Bit i of word i >> 5 set: id i is allowed. null: all are. */
  readonly mask: Uint32Array | null; // [ceil(V / 32)]
  /** Added to the logits of these ids. */
  readonly biasIds: Int32Array;
  readonly biasValues: Float32Array;
  /** Ids seen before, and how often in the generated text: 0 for an id that only the prompt has. */
  readonly penaltyIds: Int32Array;
  readonly penaltyCounts: Int32Array;
  /** 1: off. The logit of every listed id is divided by it if positive, multiplied if negative. */
  readonly repetitionPenalty: number;
  /** Subtracted times the count. */
  readonly frequencyPenalty: number;
  /** Subtracted once where the count is above 0. */
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

/** Everything off but the draw: one of all ids by their probabilities. */
export const PLAIN_ROW: SampleRow = Object.freeze({
  mask: null,
  biasIds: new Int32Array(0),
  biasValues: new Float32Array(0),
  penaltyIds: new Int32Array(0),
  penaltyCounts: new Int32Array(0),
  repetitionPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  seed: 0,
  index: 0,
});

/**
 * Draws one id a row from softmax(logits' / temperature), logits' being the logits after mask, bias and penalties;
 * then top-k, top-p and min-p, each on the probabilities renormalised over what the one before kept.
 * Candidates are walked from the most likely down (equal logits': the lower id first) until the cumulated probability
 * exceeds the uniform draw. One candidate is always kept. With every id masked the result is -1.
 *
 * logits' are f32, parameters too, and each step rounds to f32, so that all backends see the same ties:
 * l + bias; l / r if l > 0, else l · r; (l - frequency · count) - presence. NaN counts as -infinity. From there on
 * weights exp((l - max) / temperature), 1 for an infinite maximum, and their sums are f64, temperature, topP and minP as given: top-p keeps up to the
 * first candidate at which sum >= topP · total, min-p keeps weight >= minP · greatest weight, and the draw stops at
 * sum > uniform · total. With topK 0 a backend may sum the total in f32 over blocks of 256 ids and in f64 over the
 * blocks: where a goal lies within about 1e-6 of a running sum, backends may choose neighbouring candidates. Ids outside 0..V-1 in the bias and the penalties are ignored; an id comes once in each.
 *
 * @param out    i32 [R], overwritten
 * @param logits f32 [R, V], unchanged
 * @param rows   R parameter sets
 */
export type Sample = (out: Tensor, logits: Tensor, rows: readonly SampleRow[]) => void;

type Settings = Partial<Omit<SampleRow, "mask">> & { readonly allowed?: "some" | "none" };

interface SampleCase {
  readonly V: number;
  readonly logits: "normal" | "ties" | "equal" | "some NaN" | "all NaN" | "some infinite";
  readonly settings: readonly Settings[]; // each draws `draws` rows
  readonly draws: number;
  readonly start?: number;
}

const BIAS: Settings = { biasIds: Int32Array.of(3, 0, 99, -1), biasValues: Float32Array.of(2.5, -100, 50, 50) };
const SEEN: Settings = { penaltyIds: Int32Array.of(1, 5, 2, 77, -3), penaltyCounts: Int32Array.of(2, 1, 7, 1, 1) };
const PENALTIES: Settings = { ...SEEN, repetitionPenalty: 1.3, frequencyPenalty: 0.2, presencePenalty: 0.4 };

/** Every parameter alone and together. */
const SWEEP: readonly Settings[] = [
  { temperature: 0 },
  { temperature: 1 },
  { temperature: 0.3 },
  { temperature: 100 },
  { temperature: 1e-6 },
  { temperature: 1, topK: 1 },
  { temperature: 1, topK: 5 },
  { temperature: 1, topK: 1_000_000 },
  { temperature: 1, topP: 0 },
  { temperature: 1, topP: 0.31 },
  { temperature: 1.5, topP: 0.93 },
  { temperature: 1, minP: 0.11 },
  { temperature: 1, minP: 1 },
  { temperature: 0.9, topK: 9, topP: 0.87, minP: 0.05 },
  { ...BIAS, temperature: 0 },
  { ...BIAS, temperature: 1 },
  { ...PENALTIES, temperature: 0 },
  { ...PENALTIES, temperature: 1 },
  { ...BIAS, ...PENALTIES, allowed: "some", temperature: 0.8, topK: 7, topP: 0.9, minP: 0.01 },
  { allowed: "some", temperature: 0 },
  { allowed: "some", temperature: 1, topP: 0.52 },
  { allowed: "none", temperature: 0 },
  { allowed: "none", temperature: 1, topK: 3 },
  { temperature: 1, seed: Number.MAX_SAFE_INTEGER },
];

export const sample = defineOp<Parameters<Sample>, SampleCase>({
  name: "sample",
  check(out, logits, rows) {
    const count = rowsOf(logits);
    const vocabulary = widthOf(logits);
    expectMatrix("sample", "logits", logits, count, vocabulary, "R, V");
    expectVector("sample", "out", out, count, "R", "i32");
    expectInteger("sample", "rows.length", rows.length, count, count);
    for (const row of rows) checkSampleRow("sample", row, vocabulary);
  },
  tolerance: { f32: 0 },
  cases: [
    { V: 1, logits: "normal", settings: SWEEP, draws: 1 },
    { V: 7, logits: "ties", settings: SWEEP, draws: 4, start: 1 },
    { V: 33, logits: "normal", settings: SWEEP, draws: 8, start: 3 },
    { V: 100, logits: "ties", settings: SWEEP, draws: 8 },
    { V: 100, logits: "equal", settings: SWEEP, draws: 3 },
    { V: 65, logits: "some NaN", settings: SWEEP, draws: 3 },
    { V: 300, logits: "some infinite", settings: SWEEP, draws: 3, start: 1 },
    { V: 40, logits: "all NaN", settings: [{ temperature: 0 }, { temperature: 1, topK: 4 }], draws: 1 },
    { V: 1000, logits: "normal", settings: SWEEP, draws: 8 },
    { V: 5003, logits: "ties", settings: SWEEP, draws: 2, start: 2 },
    {
      V: 262_144,
      logits: "normal",
      settings: [{ temperature: 0 }, { temperature: 1, topK: 64, topP: 0.95 }, { temperature: 0.7, topP: 0.9 }],
      draws: 1,
    },
    { V: 262_144, logits: "ties", settings: [{ temperature: 0 }, { topK: 64 }], draws: 1 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = c.settings.flatMap((settings) =>
      Array.from({ length: c.draws }, (_, index): SampleRow => {
        const { allowed, ...fields } = settings;
        const words = () => Uint32Array.from({ length: Math.ceil(c.V / 32) }, () => rng.integer(2 ** 32));
        const mask = allowed === "some" ? words() : allowed === "none" ? new Uint32Array(Math.ceil(c.V / 32)) : null;
        return { ...PLAIN_ROW, seed: 42, index, ...fields, mask };
      }),
    );
    const values = randomValues(rng, rows.length * c.V).map((value, i) => {
      if (c.logits === "equal") return 0.5;
      if (c.logits === "all NaN" || (c.logits === "some NaN" && i % 3 === 0)) return Number.NaN;
      if (c.logits === "some infinite" && i % 7 === 0) return i % 3 === 0 ? Infinity : -Infinity;
      return c.logits === "ties" ? Math.round(2 * value) : 2.5 * value;
    });
    const out = tensors.output("i32", [rows.length]);
    const logits = tensors.input([rows.length, c.V], values);
    be.sample(out, logits, rows);
    return { out: { values: await tensors.read(out) }, logits: { values: await tensors.read(logits) } };
  },
});

/** Every parameter in its range, every list of its length. @throws ERR_RANGE */
export function checkSampleRow(op: string, row: SampleRow, vocabulary: number): void {
  if (row.mask !== null) expectInteger(op, "mask.length", row.mask.length, Math.ceil(vocabulary / 32), 2 ** 31);
  expectInteger(op, "biasValues.length", row.biasValues.length, row.biasIds.length, row.biasIds.length);
  const seen = row.penaltyIds.length;
  expectInteger(op, "penaltyCounts.length", row.penaltyCounts.length, seen, seen);
  expectInteger(op, "topK", row.topK, 0, 2 ** 31 - 1);
  expectInteger(op, "seed", row.seed, 0, Number.MAX_SAFE_INTEGER);
  expectInteger(op, "index", row.index, 0, Number.MAX_SAFE_INTEGER);
  expectWithin(op, "temperature", row.temperature, 0, 100);
  expectWithin(op, "topP", row.topP, 0, 1);
  expectWithin(op, "minP", row.minP, 0, 1);
  expectWithin(op, "repetitionPenalty", row.repetitionPenalty, 1e-3, 1e3);
  expectWithin(op, "frequencyPenalty", row.frequencyPenalty, -100, 100);
  expectWithin(op, "presencePenalty", row.presencePenalty, -100, 100);
}
