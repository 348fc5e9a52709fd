import { expectMatrix, expectMultiple, expectPositive, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

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

export function checkRope(...[x, positions, options]: Parameters<Rope>): void {
  const [rows, width] = expectMatrix("rope", "x", x, "T, heads * H");
  expectShape("rope", "positions", positions, [rows], "T", "i32");
  expectMultiple("rope", "headDim", options.headDim, 2, "the pair width");
  expectMultiple("rope", "x", width, options.headDim, "head width");
  expectPositive("rope", "theta", options.theta);
  expectPositive("rope", "scalingFactor", options.scalingFactor);
}
