import { expectDistinct, expectMatrix, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/**
 * out[r] = x[rows[r]]: keeps the rows whose logits are wanted. An index outside x yields a zero row.
 *
 * @param out  f32 [R, D], overwritten; not `x`
 * @param x    f32 [T, D]
 * @param rows i32 [R]
 */
export type GatherRows = (out: Tensor, x: Tensor, rows: Tensor) => void;

interface GatherRowsCase {
  readonly T: number;
  readonly D: number;
  readonly rows: readonly number[];
  readonly start?: number;
}

export const gatherRows = defineOp<Parameters<GatherRows>, GatherRowsCase>({
  name: "gatherRows",
  check(out, x, rows) {
    const count = rowsOf(out);
    const width = widthOf(x);
    expectMatrix("gatherRows", "x", x, rowsOf(x), width, "T, D");
    expectMatrix("gatherRows", "out", out, count, width, "R, D");
    expectVector("gatherRows", "rows", rows, count, "R", "i32");
    expectDistinct("gatherRows", out, "x", x);
  },
  tolerance: { f32: 0 },
  cases: [
    { T: 3, D: 8, rows: [] },
    { T: 1, D: 1, rows: [0] },
    { T: 5, D: 7, rows: [4], start: 1 },
    { T: 5, D: 17, rows: [4, 0, 2, 2], start: 3 },
    { T: 3, D: 16, rows: [-1, 2, 3, 2 ** 31 - 1, -(2 ** 31)] },
    { T: 33, D: 640, rows: [32, 7] },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const x = tensors.input([c.T, c.D], randomValues(rng, c.T * c.D));
    const out = tensors.output("f32", [c.rows.length, c.D]);
    be.gatherRows(out, x, tensors.input([c.rows.length], Int32Array.from(c.rows)));
    return { out: { values: await tensors.read(out) } };
  },
});
