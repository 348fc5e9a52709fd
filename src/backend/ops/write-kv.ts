import { GemmaError } from "../../base/errors.js";
import { expectInteger, expectMatrix, expectVector, rowsOf } from "../check.js";
import { KV_DTYPES, type KvCache, type KvDtype, type RowPlan } from "../kv.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";
import {
  currentRows,
  makePlan,
  pageTableWidth,
  type SequenceRows,
  type StepRow,
  scrambledPages,
} from "../testing/ragged-step.js";

/**
 * Writes the keys and values of this step's rows into their pages, rounded to the cache's type (see KvDtype). A row
 * whose page is -1 is not written; nor is one whose sequence, position or page lies outside the table or the cache.
 *
 * @param cache the paged cache
 * @param layer index of the layer
 * @param k     f32 [T, K*H], after RoPE
 * @param v     f32 [T, K*H]
 * @param plan  positions, sequences and the page table of the layer's group
 */
export type WriteKv = (cache: KvCache, layer: number, k: Tensor, v: Tensor, plan: RowPlan) => void;

/** What writeKv and attention both need of a plan. */
export function checkPlan(op: string, cache: KvCache, layer: number, rows: number, plan: RowPlan): void {
  expectVector(op, "positions", plan.positions, rows, "T", "i32");
  expectVector(op, "sequences", plan.sequences, rows, "T", "i32");
  const { layerGroups } = cache.layout;
  expectInteger(op, "layer", layer, 0, layerGroups.length - 1);
  const table = plan.pageTables[layerGroups[layer]!];
  if (table?.shape.length !== 2 || table.dtype !== "i32") {
    throw new GemmaError("ERR_SHAPE", `${op}: layer ${layer} must have a page table i32 [S, P] in the plan`);
  }
}

interface WriteKvCase {
  readonly dtype: KvDtype;
  readonly kvHeads: number;
  readonly H: number;
  readonly sequences: readonly SequenceRows[];
  /** Rows that no page takes, behind those of the sequences. */
  readonly strays?: readonly StepRow[];
  readonly start?: number;
  readonly fill?: Fill;
}

const STRAYS: readonly StepRow[] = [
  { sequence: 0, position: -1 },
  { sequence: 1, position: 1_000_000 },
  { sequence: 2, position: 0 },
  { sequence: -1, position: 0 },
];

export const writeKv = defineOp<Parameters<WriteKv>, WriteKvCase>({
  name: "writeKv",
  check(cache, layer, k, v, plan) {
    const rows = rowsOf(k);
    const width = cache.layout.kvHeads * cache.layout.headDim;
    expectMatrix("writeKv", "k", k, rows, width, "T, K*H");
    expectMatrix("writeKv", "v", v, rows, width, "T, K*H");
    checkPlan("writeKv", cache, layer, rows, plan);
  },
  tolerance: { f32: 1e-6 },
  cases: KV_DTYPES.flatMap((dtype): WriteKvCase[] => [
    { dtype, kvHeads: 1, H: 2, sequences: [{ past: 0, now: 1 }] },
    { dtype, kvHeads: 3, H: 6, sequences: [{ past: 0, now: 17 }], start: 1 },
    {
      dtype,
      kvHeads: 1,
      H: 16,
      sequences: [
        { past: 15, now: 2 },
        { past: 0, now: 33 },
      ],
      start: 3,
    },
    {
      dtype,
      kvHeads: 2,
      H: 34,
      sequences: [
        { past: 31, now: 1 },
        { past: 5, now: 1 },
      ],
      strays: STRAYS,
    },
    { dtype, kvHeads: 2, H: 8, sequences: [{ past: 0, now: 3 }], fill: "large" },
    { dtype, kvHeads: 2, H: 8, sequences: [{ past: 0, now: 3 }], fill: "zero" },
    { dtype, kvHeads: 2, H: 8, sequences: [{ past: 0, now: 3 }], fill: "denormal" },
    { dtype, kvHeads: 2, H: 32, sequences: [{ past: 0, now: 4 }], fill: "halves" }, // int8 codes are ties
    { dtype, kvHeads: 4, H: 256, sequences: [{ past: 0, now: 20 }] },
  ]),
  // A cache cannot be read: attention with a window of one returns the row's own value as it was stored.
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = [...currentRows(c.sequences), ...(c.strays ?? [])];
    const layout = { dtype: c.dtype, kvHeads: c.kvHeads, headDim: c.H, layerGroups: [0] };
    const cache = be.kvCache({ ...layout, groupPages: [c.sequences.length * pageTableWidth(c.sequences)] });
    const shape = [rows.length, c.kvHeads * c.H];
    const random = () => tensors.input(shape, randomValues(rng, rows.length * c.kvHeads * c.H, c.fill));
    const plan = makePlan(tensors, rows, [scrambledPages(rng, c.sequences)]);
    be.writeKv(cache, 0, random(), random(), plan);
    const out = tensors.output("f32", shape);
    be.attention(out, random(), cache, 0, plan, { scale: 1, softCap: null, window: 1 });
    return { value: { values: await tensors.read(out) } };
  },
});
