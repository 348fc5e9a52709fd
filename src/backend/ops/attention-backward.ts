import {
  expectDistinct,
  expectInteger,
  expectMatrix,
  expectMultiple,
  expectPositive,
  expectVector,
  rowsOf,
  widthOf,
} from "../check.js";
import type { RowPlan } from "../kv.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { currentRows, makePlan } from "../testing/ragged-step.js";
import type { AttentionOptions } from "./attention.js";

export interface AttentionGradients {
  readonly dq: Tensor; // f32 [R, N*H], overwritten
  readonly dk: Tensor; // f32 [T, K*H], overwritten
  readonly dv: Tensor; // f32 [T, K*H], overwritten
}

export interface AttentionBackwardOptions extends AttentionOptions {
  readonly headDim: number; // H
}

/** Where rows stand: their positions and sequences. */
export type RowPlaces = Pick<RowPlan, "positions" | "sequences">;

/**
 * The gradients of attention in a self-contained step: every key that a row sees was written in this step. Row r of q
 * sees row t of k and v if both are of one sequence and 0 <= position[r] - position[t] < window. With p the softmax
 * weights of a row and dp[t] = dOut[r]·v[t]:
 *
 *     ds[t] = p[t] · (dp[t] - sum_j p[j] dp[j])      through the soft cap: · (1 - (capped / softCap)²)
 *     dq[r] = scale · sum_t ds[t] k[t],  dk[t] = scale · sum_r ds[t] q[r],  dv[t] = sum_r p[t] dOut[r]
 *
 * Scores are computed anew, a few rows at a time: there is never a matrix of them all. A row that sees no key has no
 * gradient. With activations other than "f32" a backend may round all factors of products to bf16; sums are f32.
 *
 * @param out     where they go; distinct from each other and from the inputs
 * @param dOut    f32 [R, N*H]
 * @param q       f32 [R, N*H], after RoPE
 * @param k       f32 [T, K*H], after RoPE, as they were written
 * @param v       f32 [T, K*H]
 * @param queries of the rows of q; like `keys` ascending in each sequence, a sequence's rows adjacent
 * @param keys    of the rows of k and v
 */
export type AttentionBackward = (
  out: AttentionGradients,
  dOut: Tensor,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  queries: RowPlaces,
  keys: RowPlaces,
  options: AttentionBackwardOptions,
) => void;

interface AttentionBackwardCase {
  /** Rows of each sequence. */
  readonly sequences: readonly number[];
  /** Which rows are queries too; all of them. */
  readonly queryRows?: readonly number[];
  readonly heads: number; // N
  readonly kvHeads: number; // K
  readonly H: number;
  readonly window?: number;
  readonly softCap?: number;
  readonly start?: number;
}

const OP = "attentionBackward";
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

export const attentionBackward = defineOp<Parameters<AttentionBackward>, AttentionBackwardCase>({
  name: OP,
  check(out, dOut, q, k, v, queries, keys, options) {
    const [rows, width] = [rowsOf(q), widthOf(q)];
    const [keyRows, keyWidth] = [rowsOf(k), widthOf(k)];
    expectMatrix(OP, "q", q, rows, width, "R, N*H");
    expectMatrix(OP, "dOut", dOut, rows, width, "R, N*H");
    expectMatrix(OP, "out.dq", out.dq, rows, width, "R, N*H");
    expectMatrix(OP, "k", k, keyRows, keyWidth, "T, K*H");
    expectMatrix(OP, "v", v, keyRows, keyWidth, "T, K*H");
    expectMatrix(OP, "out.dk", out.dk, keyRows, keyWidth, "T, K*H");
    expectMatrix(OP, "out.dv", out.dv, keyRows, keyWidth, "T, K*H");
    expectDistinct(OP, out.dq, "dOut", dOut);
    expectDistinct(OP, out.dq, "q", q);
    expectDistinct(OP, out.dk, "k", k);
    expectDistinct(OP, out.dv, "v", v);
    expectDistinct(OP, out.dk, "out.dv", out.dv);
    expectMultiple(OP, "k", keyWidth, options.headDim, "head width");
    expectMultiple(OP, "q", width, keyWidth, "K*H");
    expectVector(OP, "queries.positions", queries.positions, rows, "R", "i32");
    expectVector(OP, "queries.sequences", queries.sequences, rows, "R", "i32");
    expectVector(OP, "keys.positions", keys.positions, keyRows, "T", "i32");
    expectVector(OP, "keys.sequences", keys.sequences, keyRows, "T", "i32");
    expectPositive(OP, "scale", options.scale);
    if (options.softCap !== null) expectPositive(OP, "softCap", options.softCap);
    if (options.window !== null) expectInteger(OP, "window", options.window, 1, 2 ** 31 - 1);
  },
  tolerance: { f32: 1e-5, int8: 3e-2 }, // of 1 + |out|; int8: products of factors rounded to bf16
  cases: [
    { sequences: [], heads: 2, kvHeads: 1, H: 8 },
    { sequences: [1], heads: 1, kvHeads: 1, H: 2 },
    { sequences: [5, 1, 17], heads: 4, kvHeads: 1, H: 16, start: 1 }, // multi-query
    { sequences: [5, 1, 17], heads: 4, kvHeads: 2, H: 8, window: 5 }, // grouped
    { sequences: [3, 20], heads: 3, kvHeads: 3, H: 34, window: 16, start: 3 }, // multi-head
    { sequences: [9, 7], heads: 4, kvHeads: 2, H: 16, softCap: 2 },
    { sequences: [30], heads: 2, kvHeads: 1, H: 80, window: 1 },
    { sequences: [9, 12], queryRows: [3, 8, 9, 20], heads: 4, kvHeads: 1, H: 32, window: 6 }, // output rows
    { sequences: [9, 12], queryRows: [], heads: 4, kvHeads: 1, H: 8 },
    { sequences: [4, 6, 5], queryRows: [1, 3, 10, 14], heads: 2, kvHeads: 2, H: 8 }, // none of the second
    { sequences: [70], heads: 4, kvHeads: 1, H: 256, window: 33 },
    { sequences: [20, 40], heads: 4, kvHeads: 1, H: 256 },
    { sequences: [135, 66], heads: 2, kvHeads: 1, H: 16, window: 70, softCap: 3, start: 1 }, // blocks of rows, windows across
    { sequences: [150, 3], queryRows: range(70, 151), heads: 2, kvHeads: 1, H: 8, window: 90 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = currentRows(c.sequences.map((now) => ({ past: 0, now })));
    const queryRows = c.queryRows?.map((row) => rows[row]!) ?? rows;
    const [width, keyWidth] = [c.heads * c.H, c.kvHeads * c.H];
    const random = (count: number, wide: number) => tensors.input([count, wide], randomValues(rng, count * wide));
    const [R, T] = [queryRows.length, rows.length];
    const out = {
      dq: tensors.output("f32", [R, width]),
      dk: tensors.output("f32", [T, keyWidth]),
      dv: tensors.output("f32", [T, keyWidth]),
    };
    const [dOut, q, k, v] = [random(R, width), random(R, width), random(T, keyWidth), random(T, keyWidth)];
    const options = { headDim: c.H, scale: c.H ** -0.5, softCap: c.softCap ?? null, window: c.window ?? null };
    be.attentionBackward(out, dOut, q, k, v, makePlan(tensors, queryRows, []), makePlan(tensors, rows, []), options);
    return {
      dq: { values: await tensors.read(out.dq) },
      dk: { values: await tensors.read(out.dk) },
      dv: { values: await tensors.read(out.dv) },
    };
  },
});
