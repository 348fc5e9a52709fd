import { expectMatrix, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

/**
 * out = a + b, element by element: the residual connection.
 *
 * @param out f32 [T, D], overwritten; may be `a` or `b`
 * @param a   f32 [T, D]
 * @param b   f32 [T, D]
 */
export type Add = (out: Tensor, a: Tensor, b: Tensor) => void;

export function checkAdd(...[out, a, b]: Parameters<Add>): void {
  const [rows, width] = expectMatrix("add", "a", a, "T, D");
  expectShape("add", "b", b, [rows, width], "T, D");
  expectShape("add", "out", out, [rows, width], "T, D");
}
