import { expectMatrix, expectPositive, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

/**
 * RMS norm, one row at a time:
 *
 *     out[t, d] = x[t, d] / sqrt(mean_d(x[t, d]²) + eps) · (1 + weight[d])
 *
 * Hugging Face, Keras and Flax checkpoints store the scale minus one, and the op adds the one. GGUF stores the sum:
 * its loader subtracts one. The sum of squares is accumulated in f32 or wider.
 *
 * @param out    f32 [T, D], overwritten; may be `x` itself
 * @param x      f32 [T, D]
 * @param weight f32 [D], offset from 1
 * @param eps    added to the mean square (same unit as x²); > 0; Gemma uses 1e-6
 * @throws ERR_SHAPE `rmsNorm: weight must be f32 [2048] (D), got f32 [3072]`
 * @throws ERR_RANGE `rmsNorm: eps must be > 0, got 0`
 */
export type RmsNorm = (out: Tensor, x: Tensor, weight: Tensor, eps: number) => void;

export function checkRmsNorm(...[out, x, weight, eps]: Parameters<RmsNorm>): void {
  const [rows, width] = expectMatrix("rmsNorm", "x", x, "T, D");
  expectShape("rmsNorm", "out", out, [rows, width], "T, D");
  expectShape("rmsNorm", "weight", weight, [width], "D");
  expectPositive("rmsNorm", "eps", eps);
}
