import { expectDistinct, expectMatrix, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/**
 * The gradient of gatherRows: dx[rows[r]] += dOut[r], in order. An index outside dx adds nothing.
 *
 * @param dx   f32 [T, D], added to; not `dOut`
 * @param dOut f32 [R, D]
 * @param rows i32 [R]
 */
export type GatherRowsBackward = (dx: Tensor, dOut: Tensor, rows: Tensor) => void;

interface GatherRowsBackwardCase {
  readonly T: number;
  readonly D: number;
  readonly rows: readonly number[];
  readonly start?: number;
}

export const gatherRowsBackward = defineOp<Parameters<GatherRowsBackward>, GatherRowsBackwardCase>({
  name: "gatherRowsBackward",
  check(dx, dOut, rows) {
    const count = rowsOf(dOut);
    const width = widthOf(dx);
    expectMatrix("gatherRowsBackward", "dx", dx, rowsOf(dx), width, "T, D");
    expectMatrix("gatherRowsBackward", "dOut", dOut, count, width, "R, D");
    expectVector("gatherRowsBackward", "rows", rows, count, "R", "i32");
    expectDistinct("gatherRowsBackward", dx, "dOut", dOut);
  },
  tolerance: { f32: 0 }, // sums in the order of the rows: every backend gives the same bits
  cases: [
    { T: 3, D: 8, rows: [] },
    { T: 1, D: 1, rows: [0] },
    { T: 5, D: 7, rows: [4], start: 1 },
    { T: 5, D: 17, rows: [4, 0, 2, 2, 2], start: 3 },
    { T: 3, D: 16, rows: [-1, 2, 3, 2 ** 31 - 1, -(2 ** 31)] },
    { T: 33, D: 640, rows: [32, 7] },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const dx = tensors.input([c.T, c.D], randomValues(rng, c.T * c.D));
    const dOut = tensors.input([c.rows.length, c.D], randomValues(rng, c.rows.length * c.D));
    be.gatherRowsBackward(dx, dOut, tensors.input([c.rows.length], Int32Array.from(c.rows)));
    return { dx: { values: await tensors.read(dx) } };
  },
});
