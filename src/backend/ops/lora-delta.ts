import { expectMatrix, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

/**
 * Adds a low-rank update behind the base matmul: out[t] += scale · B (A x[t]). Computed in f32.
 *
 * @param out   f32 [T, N], added to
 * @param x     f32 [T, K]
 * @param a     f32 [r, K], PEFT's lora_A
 * @param b     f32 [N, r], PEFT's lora_B
 * @param scale alpha / r, or alpha / sqrt(r) for rank-stabilised adapters
 */
export type LoraDelta = (out: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: number) => void;

export function checkLoraDelta(...[out, x, a, b]: Parameters<LoraDelta>): void {
  const [rows, width] = expectMatrix("loraDelta", "x", x, "T, K");
  const [, outWidth] = expectMatrix("loraDelta", "out", out, "T, N");
  const [rank] = expectMatrix("loraDelta", "a", a, "r, K");
  expectShape("loraDelta", "a", a, [rank, width], "r, K");
  expectShape("loraDelta", "b", b, [outWidth, rank], "N, r");
  expectShape("loraDelta", "out", out, [rows, outWidth], "T, N");
}
