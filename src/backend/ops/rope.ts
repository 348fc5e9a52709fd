import { expectMatrix, expectMultiple, expectPositive, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

export interface RopeOptions {
  readonly headDim: number; // H, even
  /** Base of the frequencies; Gemma 3 has 10,000 on sliding layers and 1,000,000 on global ones. */
  readonly theta: number;
  /** Linear scaling: positions are divided by it. 1: none. */
  readonly scalingFactor: number;
}

/**
 * Rotary position embedding in place, split-half form (Llama's original code interleaves instead). For each head and
 * i < H/2, with angle = positions[t] / scalingFactor · theta^(-2i/H):
 *
 *     x[i], x[i + H/2] = x[i] cos - x[i + H/2] sin, x[i + H/2] cos + x[i] sin
 *
 * Angles are computed in f64 (or f32 with the same result within tolerance at positions up to 131,072).
 *
 * @param x         f32 [T, heads * H], in place
 * @param positions i32 [T]
 */
export type Rope = (x: Tensor, positions: Tensor, options: RopeOptions) => void;

interface RopeCase {
  readonly positions: readonly number[]; // T of them
  readonly heads: number;
  readonly H: number;
  readonly theta?: number;
  readonly scalingFactor?: number;
  readonly start?: number;
  readonly fill?: Fill;
}

export const rope = defineOp<Parameters<Rope>, RopeCase>({
  name: "rope",
  check(x, positions, options) {
    const rows = rowsOf(x);
    const width = widthOf(x);
    expectMatrix("rope", "x", x, rows, width, "T, heads * H");
    expectVector("rope", "positions", positions, rows, "T", "i32");
    expectMultiple("rope", "headDim", options.headDim, 2, "the pair width");
    expectMultiple("rope", "x", width, options.headDim, "head width");
    expectPositive("rope", "theta", options.theta);
    expectPositive("rope", "scalingFactor", options.scalingFactor);
  },
  tolerance: { f32: 1e-6 }, // of 1 + both elements of the pair, which may cancel
  cases: [
    { positions: [], heads: 2, H: 8 },
    { positions: [0], heads: 1, H: 2 },
    { positions: [3], heads: 1, H: 8, start: 1 },
    { positions: [0, 1, 2, 900], heads: 3, H: 6 },
    { positions: [7, 2, 2], heads: 2, H: 14, start: 3 },
    { positions: [5, 1_000_000], heads: 1, H: 16, scalingFactor: 8 },
    { positions: [11, 12, 13], heads: 2, H: 34, start: 2 },
    { positions: [4000, 17], heads: 1, H: 80 },
    { positions: [1, 2, 3], heads: 2, H: 128, fill: "large" },
    { positions: [1, 2], heads: 1, H: 32, fill: "zero" },
    { positions: [131_071, 131_070, 65_537, 32_767], heads: 4, H: 256, theta: 1_000_000 },
    { positions: [131_071, 99_999], heads: 1, H: 256, theta: 1_000_000, scalingFactor: 8 },
    { positions: Array.from({ length: 33 }, (_, t) => 500 + t), heads: 8, H: 256 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = c.positions.length;
    const values = randomValues(rng, rows * c.heads * c.H, c.fill);
    const half = c.H / 2;
    const partner = (i: number) => (i % c.H < half ? i + half : i - half);
    const magnitude = values.map((value, i) => 1 + Math.abs(value) + Math.abs(values[partner(i)]!));
    const x = tensors.input([rows, c.heads * c.H], values);
    const positions = tensors.input([rows], Int32Array.from(c.positions));
    be.rope(x, positions, { headDim: c.H, theta: c.theta ?? 10_000, scalingFactor: c.scalingFactor ?? 1 });
    return { x: { values: await tensors.read(x), magnitude } };
  },
});
