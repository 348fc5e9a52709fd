import { expectMatrix, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * out = a + b, element by element: the residual connection.
 *
 * @param out f32 [T, D], overwritten; may be `a` or `b`
 * @param a   f32 [T, D]
 * @param b   f32 [T, D]
 */
export type Add = (out: Tensor, a: Tensor, b: Tensor) => void;

interface AddCase {
  readonly T: number;
  readonly D: number;
  readonly start?: number;
  readonly alias?: "a" | "b" | "both";
  readonly fill?: Fill;
}

export const add = defineOp<Parameters<Add>, AddCase>({
  name: "add",
  check(out, a, b) {
    const rows = rowsOf(a);
    const width = widthOf(a);
    expectMatrix("add", "a", a, rows, width, "T, D");
    expectMatrix("add", "b", b, rows, width, "T, D");
    expectMatrix("add", "out", out, rows, width, "T, D");
  },
  tolerance: { f32: 0 }, // one rounding: every backend gives the same bits
  cases: [
    { T: 0, D: 8 },
    { T: 1, D: 1 },
    { T: 1, D: 7, start: 1 },
    { T: 3, D: 15, start: 3, alias: "a" },
    { T: 2, D: 16 },
    { T: 5, D: 17, alias: "b" },
    { T: 2, D: 31, start: 2, alias: "both" },
    { T: 3, D: 33, fill: "large" },
    { T: 3, D: 5, fill: "denormal" },
    { T: 33, D: 640, alias: "a" },
    { T: 2, D: 2048, start: 1 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const a = tensors.input([c.T, c.D], randomValues(rng, c.T * c.D, c.fill));
    const b = c.alias === "both" ? a : tensors.input([c.T, c.D], randomValues(rng, c.T * c.D, c.fill));
    const out = c.alias === undefined ? tensors.output("f32", [c.T, c.D]) : c.alias === "b" ? b : a;
    be.add(out, a, b);
    return { out: { values: await tensors.read(out) } };
  },
});
