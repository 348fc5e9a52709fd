import { expectMatrix, expectShape } from "../check.js";
import type { Tensor, Weight } from "../tensor.js";

/**
 * out[t, n] = sum_k x[t, k] · weight[n, k]. Weights are [out, in] as stored.
 *
 * With `activations: "int8"` and a quantised weight each x row is first quantised in groups of 32: scale = max|x| / 127,
 * q = round-half-even(x · (127 / max|x|)), both in f32; the integer products of a group are summed exactly. With "f32", and for
 * f32, f16 and bf16 weights always, x is used as it is and sums are f32 or wider.
 * A row of `out` depends on that row of `x` alone: the order of reduction over k is the same for any T.
 *
 * @param out    f32 [T, N], overwritten; not `x`
 * @param x      f32 [T, K]
 * @param weight [N, K]
 */
export type Matmul = (out: Tensor, x: Tensor, weight: Weight) => void;

export function checkMatmul(...[out, x, weight]: Parameters<Matmul>): void {
  const [rows] = expectMatrix("matmul", "x", x, "T, K");
  expectShape("matmul", "x", x, [rows, weight.shape[1]], "T, K");
  expectShape("matmul", "out", out, [rows, weight.shape[0]], "T, N");
}
