import { expectFinite, expectMatrix, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/**
 * The gradient of embed in its table: dTable[ids[t]] += scale · dOut[t], in the order of the rows. An id outside the table
 * adds nothing.
 *
 * @param dTable f32 [V, D], added to
 * @param dOut   f32 [T, D]
 * @param ids    i32 [T]
 * @param scale  as embed had it
 */
export type EmbedBackward = (dTable: Tensor, dOut: Tensor, ids: Tensor, scale: number) => void;

interface EmbedBackwardCase {
  readonly V: number;
  readonly D: number;
  readonly ids: readonly number[];
  readonly start?: number;
}

export const embedBackward = defineOp<Parameters<EmbedBackward>, EmbedBackwardCase>({
  name: "embedBackward",
  check(dTable, dOut, ids, scale) {
    const rows = rowsOf(dOut);
    const width = widthOf(dOut);
    expectMatrix("embedBackward", "dOut", dOut, rows, width, "T, D");
    expectMatrix("embedBackward", "dTable", dTable, rowsOf(dTable), width, "V, D");
    expectVector("embedBackward", "ids", ids, rows, "T", "i32");
    expectFinite("embedBackward", "scale", scale);
  },
  tolerance: { f32: 2e-6 }, // of 1 + |out|: rows with equal ids are summed in order
  cases: [
    { V: 3, D: 8, ids: [] },
    { V: 1, D: 1, ids: [0, 0] },
    { V: 9, D: 7, ids: [8, 0, 3, 3, 8], start: 1 },
    { V: 5, D: 17, ids: [-1, 5, 2 ** 31 - 1, -(2 ** 31), 4], start: 3 },
    { V: 100, D: 640, ids: Array.from({ length: 40 }, (_, t) => (t * 67) % 23) },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const dTable = tensors.input([c.V, c.D], randomValues(rng, c.V * c.D));
    const dOut = tensors.input([c.ids.length, c.D], randomValues(rng, c.ids.length * c.D));
    be.embedBackward(dTable, dOut, tensors.input([c.ids.length], Int32Array.from(c.ids)), Math.sqrt(c.D));
    return { dTable: { values: await tensors.read(dTable) } };
  },
});
