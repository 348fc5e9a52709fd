import { expectFinite, expectSameShape } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/**
 * out = factor · x, element by element. A factor of 1 copies bits; 0 writes zeros, whatever x holds.
 *
 * @param out f32 of any shape, overwritten; may be `x`
 * @param x   f32 of the same shape
 */
export type Scale = (out: Tensor, x: Tensor, factor: number) => void;

interface ScaleCase {
  readonly shape: readonly number[];
  readonly factor: number;
  readonly start?: number;
  readonly inPlace?: boolean;
  /** x holds a NaN. */
  readonly isBroken?: boolean;
}

export const scale = defineOp<Parameters<Scale>, ScaleCase>({
  name: "scale",
  check(out, x, factor) {
    expectSameShape("scale", "x", x, out);
    expectFinite("scale", "factor", factor);
  },
  tolerance: { f32: 0 }, // one rounding: every backend gives the same bits
  cases: [
    { shape: [0, 3], factor: 2 },
    { shape: [1], factor: -0.5 },
    { shape: [7, 5], factor: 1, start: 1 },
    { shape: [33], factor: 0.25, start: 3, inPlace: true },
    { shape: [17], factor: 0, inPlace: true, isBroken: true },
    { shape: [40, 257], factor: 0, isBroken: true },
    { shape: [150, 257], factor: 0.3, start: 1 }, // shared by threads
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const values = randomValues(
      rng,
      c.shape.reduce((product, dim) => product * dim, 1),
    );
    if (c.isBroken) values[3] = Number.NaN;
    const x = tensors.input(c.shape, values);
    const out = c.inPlace ? x : tensors.output("f32", c.shape);
    be.scale(out, x, Math.fround(c.factor));
    return { out: { values: await tensors.read(out) } };
  },
});
