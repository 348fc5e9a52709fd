import { GemmaError } from "../../base/errors.js";
import type { Backend } from "../backend.js";
import { expectInteger, expectMatrix, expectPositive, expectVector, rowsOf } from "../check.js";
import { defineOp } from "../op.js";
import type { StoredWeight, Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { bellShapedWeight } from "../testing/stored-weight.js";
import { checkSampleRow, PLAIN_ROW, type SampleRow } from "./sample.js";

/**
 * The head and sampling in one, for rows that look at their k most likely ids alone: the ids of
 *
 *     logits = x · headᵀ, capped (softCap); out = sample(logits, rows)
 *
 * id for id, but no logits are kept. From a weight made with `screened` a backend may leave unread what provably cannot
 * change the result: bounds of all logits from the upper bits of the weights show which rows may be among the k best.
 *
 * @param out     i32 [R], overwritten
 * @param x       f32 [R, D]
 * @param head    [V, D]
 * @param softCap > 0, or null for none
 * @param rows    R parameter sets, each with `choosesFromTop`
 */
export type ChooseIds = (
  out: Tensor,
  x: Tensor,
  head: Weight,
  softCap: number | null,
  rows: readonly SampleRow[],
) => void;

/** Whether the k largest logits, as the model gives them, decide. */
export function choosesFromTop(row: SampleRow): boolean {
  const isPlain = row.mask === null && row.biasIds.length === 0 && row.penaltyIds.length === 0;
  return isPlain && (row.temperature === 0 || row.topK > 0);
}

interface ChooseIdsCase {
  readonly V: number;
  readonly D: number;
  readonly rows: readonly Partial<SampleRow>[];
  readonly cap?: number;
  readonly start?: number;
  /** Every row of the head is one of this many, and logits tie. */
  readonly distinct?: number;
}

const SETTINGS: readonly Partial<SampleRow>[] = [
  { temperature: 0 },
  { topK: 1 },
  { topK: 7 },
  { topK: 64, topP: 0.95 },
  { topK: 64, minP: 0.02, temperature: 0.7 },
  { topK: 1_000_000 },
];

export const chooseIds = defineOp<Parameters<ChooseIds>, ChooseIdsCase>({
  name: "chooseIds",
  check(out, x, head, softCap, rows) {
    const count = rowsOf(x);
    expectMatrix("chooseIds", "x", x, count, head.shape[1], "R, D");
    expectVector("chooseIds", "out", out, count, "R", "i32");
    if (softCap !== null) expectPositive("chooseIds", "softCap", softCap);
    expectInteger("chooseIds", "rows.length", rows.length, count, count);
    for (const row of rows) {
      checkSampleRow("chooseIds", row, head.shape[0]);
      if (choosesFromTop(row)) continue;
      throw new GemmaError("ERR_RANGE", "chooseIds: a row must keep the k most likely ids of unchanged logits");
    }
  },
  tolerance: { f32: 0, int8: 0 },
  cases: [
    { V: 1, D: 32, rows: [{ temperature: 0 }] },
    { V: 33, D: 64, rows: SETTINGS, start: 1 },
    { V: 4099, D: 640, rows: [] },
    ...SETTINGS.map((row): ChooseIdsCase => ({ V: 4099, D: 640, rows: [row], start: 3 })),
    { V: 8192, D: 640, rows: SETTINGS.slice(0, 4) }, // as many rows as are screened together
    { V: 8192, D: 256, rows: SETTINGS.slice(0, 3), cap: 30 },
    { V: 8192, D: 256, rows: SETTINGS.slice(0, 4), cap: 1e-3 }, // all saturated: ties
    { V: 5000, D: 96, rows: SETTINGS.slice(0, 4), distinct: 50 },
    { V: 5000, D: 96, rows: SETTINGS.slice(0, 4), distinct: 1 },
    { V: 700, D: 640, rows: [...SETTINGS, ...SETTINGS, ...SETTINGS] },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = c.rows.map((settings, index): SampleRow => ({ ...PLAIN_ROW, seed: 42, index, ...settings }));
    const stored = bellShapedWeight([c.V, c.D], rng, c.distinct);
    const values = randomValues(rng, rows.length * c.D);
    const outputs: Record<string, { values: Float32Array | Int32Array }> = {};
    for (const screened of [false, true]) {
      outputs[screened ? "screened" : "whole"] = {
        values: await choose(be, tensors, stored, screened, values, rows, c),
      };
    }
    return outputs;
  },
});

async function choose(
  be: Backend,
  tensors: CaseTensors,
  stored: StoredWeight,
  screened: boolean,
  values: Float32Array,
  rows: readonly SampleRow[],
  { D, cap }: ChooseIdsCase,
) {
  const head = be.weight(stored, { screened });
  const x = tensors.input([rows.length, D], values);
  const out = tensors.output("i32", [rows.length]);
  be.chooseIds(out, x, head, cap ?? null, rows);
  return tensors.read(out);
}
