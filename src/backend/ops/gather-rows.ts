import { expectMatrix, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

/**
 * out[r] = x[rows[r]]: keeps the rows whose logits are wanted. An index outside x yields a zero row.
 *
 * @param out  f32 [R, D], overwritten; not `x`
 * @param x    f32 [T, D]
 * @param rows i32 [R]
 */
export type GatherRows = (out: Tensor, x: Tensor, rows: Tensor) => void;

export function checkGatherRows(...[out, x, rows]: Parameters<GatherRows>): void {
  const [, width] = expectMatrix("gatherRows", "x", x, "T, D");
  const [count] = expectMatrix("gatherRows", "out", out, "R, D");
  expectShape("gatherRows", "out", out, [count, width], "R, D");
  expectShape("gatherRows", "rows", rows, [count], "R", "i32");
}
