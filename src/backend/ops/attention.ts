import {
  expectDistinct,
  expectInteger,
  expectMatrix,
  expectMultiple,
  expectPositive,
  rowsOf,
  widthOf,
} from "../check.js";
import { KV_DTYPES, type KvCache, type KvDtype, PAGE_ROWS, type RowPlan } from "../kv.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import {
  currentRows,
  makePlan,
  type PageTable,
  pageTableWidth,
  pastRows,
  randomKv,
  type SequenceRows,
  scrambledPages,
} from "../testing/ragged-step.js";
import { checkPlan } from "./write-kv.js";

export interface AttentionOptions {
  readonly scale: number;
  /** Gemma 2: scores become tanh(s / softCap) · softCap before the mask. null: none. */
  readonly softCap: number | null;
  /** Row i sees key j if 0 <= i - j < window. null: all keys up to i. */
  readonly window: number | null;
}

/**
 * Causal attention of this step's queries over the paged cache, which already holds this step's keys. For row t of a
 * sequence at position p, query head n and key/value head n // (N / K), over the keys j it sees:
 *
 *     out[t, n] = sum_j softmax_j(cap(scale · q[t, n]·k[j])) · v[j]
 *
 * Keys are reduced in ascending order, in blocks anchored at position 0: the result is the same in any batch.
 * With int8 activations a backend may round q and the weights to bf16 where keys and values are bf16.
 * Keys whose page is -1, or lies outside the table or the cache, are not seen; a row that sees no key becomes zero.
 *
 * @param out   f32 [T, N*H], overwritten; not `q`
 * @param q     f32 [T, N*H], after RoPE
 * @param cache keys and values
 * @param layer index of the layer
 * @param plan  positions, sequences and the page table of the layer's group
 */
export type Attention = (
  out: Tensor,
  q: Tensor,
  cache: KvCache,
  layer: number,
  plan: RowPlan,
  options: AttentionOptions,
) => void;

interface AttentionCase {
  readonly sequences: readonly SequenceRows[];
  readonly heads: number; // N
  readonly kvHeads: number; // K
  readonly H: number;
  readonly dtype: KvDtype;
  readonly window?: number;
  readonly softCap?: number;
  /** Pages taken away before attention: those behind the window, or all. */
  readonly drop?: "behind" | "all";
  /** Factor on q: 1 makes scores of about -3..3. */
  readonly qScale?: number;
  /** All keys are the same, so that scores tie at any magnitude. */
  readonly sameKeys?: boolean;
  readonly start?: number;
}

const MIXED: readonly SequenceRows[] = [
  { past: 0, now: 5 },
  { past: 37, now: 1 },
  { past: 16, now: 17 },
  { past: 15, now: 1 },
  { past: 30, now: 2 },
];

export const attention = defineOp<Parameters<Attention>, AttentionCase>({
  name: "attention",
  check(out, q, cache, layer, plan, options) {
    const rows = rowsOf(q);
    const width = widthOf(q);
    expectMatrix("attention", "q", q, rows, width, "T, N*H");
    expectMatrix("attention", "out", out, rows, width, "T, N*H");
    expectDistinct("attention", out, "q", q);
    expectMultiple("attention", "q", width, cache.layout.headDim * cache.layout.kvHeads, "K*H");
    expectPositive("attention", "scale", options.scale);
    if (options.softCap !== null) expectPositive("attention", "softCap", options.softCap);
    if (options.window !== null) expectInteger("attention", "window", options.window, 1, 2 ** 31 - 1);
    checkPlan("attention", cache, layer, rows, plan);
  },
  // An error in a score is one of the same size, relative, in a weight. A query rounded to bf16 moves a score by up to
  // 2^-9 · scale · |q|·|k|.
  tolerance: { f32: 1e-5, int8: 1e-2 },
  cases: [
    ...KV_DTYPES.flatMap((dtype): AttentionCase[] => [
      { dtype, sequences: [{ past: 0, now: 1 }], heads: 1, kvHeads: 1, H: 2 },
      { dtype, sequences: MIXED, heads: 4, kvHeads: 1, H: 16, start: 1 }, // multi-query
      { dtype, sequences: MIXED, heads: 4, kvHeads: 2, H: 8, window: 5, drop: "behind" }, // grouped
      { dtype, sequences: MIXED, heads: 3, kvHeads: 3, H: 80, window: 16, drop: "behind", start: 3 }, // multi-head
      { dtype, sequences: MIXED, heads: 8, kvHeads: 4, H: 128, window: 24, softCap: 50, drop: "behind" },
      { dtype, sequences: MIXED, heads: 6, kvHeads: 2, H: 34, window: 1 },
      { dtype, sequences: MIXED, heads: 2, kvHeads: 1, H: 256, window: 4096 },
      { dtype, sequences: [{ past: 600, now: 14 }], heads: 3, kvHeads: 1, H: 64, window: 300, drop: "behind" },
    ]),
    { dtype: "f32", sequences: [], heads: 2, kvHeads: 1, H: 8 },
    { dtype: "f32", sequences: MIXED, heads: 2, kvHeads: 1, H: 6, softCap: 0.5, start: 2 },
    { dtype: "f32", sequences: MIXED, heads: 4, kvHeads: 2, H: 14, drop: "all" }, // no key: zeros
    { dtype: "f32", sequences: MIXED, heads: 2, kvHeads: 2, H: 16, qScale: 10 },
    { dtype: "f32", sequences: MIXED, heads: 2, kvHeads: 1, H: 16, qScale: 1e4, sameKeys: true }, // exp must not overflow
    { dtype: "bf16", sequences: MIXED, heads: 2, kvHeads: 1, H: 16, qScale: 1e6, softCap: 50, sameKeys: true },
    { dtype: "f32", sequences: [{ past: 0, now: 70 }], heads: 2, kvHeads: 1, H: 32, window: 33 },
    // Gemma 3 270M: a sliding layer and a full one. Gemma 2B: full, one key/value head.
    {
      dtype: "bf16",
      sequences: [
        { past: 700, now: 1 },
        { past: 0, now: 40 },
      ],
      heads: 4,
      kvHeads: 1,
      H: 256,
      window: 512,
    },
    { dtype: "bf16", sequences: [{ past: 1000, now: 1 }], heads: 4, kvHeads: 1, H: 256 },
    { dtype: "bf16", sequences: [{ past: 100, now: 3 }], heads: 8, kvHeads: 1, H: 256 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const pages = c.sequences.length * pageTableWidth(c.sequences);
    // Layer 2 shares its pages with layer 0; layer 1 has a group of its own. Only layer 2 is looked at.
    const layout = { dtype: c.dtype, kvHeads: c.kvHeads, headDim: c.H, layerGroups: [1, 0, 1] };
    const cache = be.kvCache({ ...layout, groupPages: [pages, pages] });
    const tables = [scrambledPages(rng, c.sequences), scrambledPages(rng, c.sequences)];
    const rows = currentRows(c.sequences);
    for (const written of [pastRows(c.sequences), rows]) {
      const plan = makePlan(tensors, written, tables);
      for (const layer of [2, 0, 1]) {
        const k = randomKv(tensors, rng, written.length, cache);
        const width = c.kvHeads * c.H;
        if (c.sameKeys) be.write(k, new Float32Array(written.length * width).fill(0.25));
        be.writeKv(cache, layer, k, randomKv(tensors, rng, written.length, cache), plan);
      }
    }

    const plan = makePlan(tensors, rows, [tables[0]!, dropPages(tables[1]!, c)]);
    const shape = [rows.length, c.heads * c.H];
    const qValues = randomValues(rng, rows.length * c.heads * c.H).map((value) => value * (c.qScale ?? 1));
    const out = tensors.output("f32", shape);
    const options = { scale: c.H ** -0.5, softCap: c.softCap ?? null, window: c.window ?? null };
    const q = tensors.input(shape, qValues);
    be.attention(out, q, cache, 2, plan, options);
    return { out: { values: await tensors.read(out) }, q: { values: await tensors.read(q) } };
  },
});

/** The table after the pages that no row of the step sees, or all, were given back. */
function dropPages({ pages, width }: PageTable, c: AttentionCase): PageTable {
  const left = pages.slice();
  for (const [s, { past }] of c.sequences.entries()) {
    const behind = Math.floor(Math.max(0, past - (c.window ?? Number.POSITIVE_INFINITY) + 1) / PAGE_ROWS);
    const dropped = c.drop === "all" ? width : c.drop === "behind" ? behind : 0;
    left.fill(-1, s * width, s * width + dropped);
  }
  return { pages: left, width };
}
