import { expectMatrix, expectPositive, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * x = tanh(x / cap) · cap in place: Gemma 2 limits its logits this way (cap 30).
 *
 * @param x   f32 [R, V], in place
 * @param cap > 0, same unit as x
 */
export type SoftCap = (x: Tensor, cap: number) => void;

interface SoftCapCase {
  readonly R: number;
  readonly V: number;
  readonly cap: number;
  readonly start?: number;
  readonly fill?: Fill;
}

export const softCap = defineOp<Parameters<SoftCap>, SoftCapCase>({
  name: "softCap",
  check(x, cap) {
    expectMatrix("softCap", "x", x, rowsOf(x), widthOf(x), "R, V");
    expectPositive("softCap", "cap", cap);
  },
  tolerance: { f32: 1e-6 },
  cases: [
    { R: 0, V: 8, cap: 30 },
    { R: 1, V: 1, cap: 30 },
    { R: 2, V: 7, cap: 1, start: 1 },
    { R: 3, V: 15, cap: 30 },
    { R: 2, V: 16, cap: 50, start: 3 },
    { R: 3, V: 17, cap: 0.5 },
    { R: 2, V: 33, cap: 30, fill: "large" }, // saturated: ±cap
    { R: 2, V: 33, cap: 30, fill: "huge" },
    { R: 2, V: 17, cap: 30, fill: "tiny" }, // tanh(x) = x
    { R: 1, V: 33, cap: 30, fill: "denormal" },
    { R: 1, V: 16, cap: 30, fill: "zero" },
    { R: 2, V: 256000, cap: 30 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const values = randomValues(rng, c.R * c.V, c.fill).map((value) => value * c.cap);
    const x = tensors.input([c.R, c.V], values);
    be.softCap(x, c.cap);
    return { x: { values: await tensors.read(x) } };
  },
});
