import { expectDistinct, expectMatrix, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * The gradients of geglu, element by element: dGate = dOut · up · gelu'(gate), dUp = dOut · gelu(gate).
 *
 * @param dGate f32 [T, F], overwritten; may be `dOut`
 * @param dUp   f32 [T, F], overwritten; not `dGate`; may be `dOut`
 * @param dOut  f32 [T, F]
 * @param gate  f32 [T, F], what geglu read
 * @param up    f32 [T, F]
 */
export type GegluBackward = (dGate: Tensor, dUp: Tensor, dOut: Tensor, gate: Tensor, up: Tensor) => void;

interface GegluBackwardCase {
  readonly T: number;
  readonly F: number;
  readonly start?: number;
  readonly alias?: "gate" | "up";
  readonly fill?: Fill;
}

export const gegluBackward = defineOp<Parameters<GegluBackward>, GegluBackwardCase>({
  name: "gegluBackward",
  check(dGate, dUp, dOut, gate, up) {
    const rows = rowsOf(gate);
    const width = widthOf(gate);
    expectMatrix("gegluBackward", "gate", gate, rows, width, "T, F");
    expectMatrix("gegluBackward", "up", up, rows, width, "T, F");
    expectMatrix("gegluBackward", "dOut", dOut, rows, width, "T, F");
    expectMatrix("gegluBackward", "dGate", dGate, rows, width, "T, F");
    expectMatrix("gegluBackward", "dUp", dUp, rows, width, "T, F");
    expectDistinct("gegluBackward", dGate, "dUp", dUp);
  },
  tolerance: { f32: 2e-6 },
  cases: [
    { T: 0, F: 8 },
    { T: 1, F: 1 },
    { T: 3, F: 15, start: 3, alias: "gate" },
    { T: 2, F: 16, alias: "up" },
    { T: 5, F: 17, start: 1 },
    { T: 2, F: 33, fill: "large" },
    { T: 2, F: 33, fill: "huge" }, // x³ overflows f32; the slope is 1 or 0
    { T: 2, F: 16, fill: "zero" },
    { T: 9, F: 2048, alias: "gate" },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const shape = [c.T, c.F];
    const random = (fill?: Fill) => randomValues(rng, c.T * c.F, fill);
    const gate = tensors.input(
      shape,
      random(c.fill).map((value) => 4 * value),
    );
    const up = tensors.input(shape, random());
    const dOut = tensors.input(shape, random());
    const dGate = c.alias === "gate" ? dOut : tensors.output("f32", shape);
    const dUp = c.alias === "up" ? dOut : tensors.output("f32", shape);
    be.gegluBackward(dGate, dUp, dOut, gate, up);
    return { dGate: { values: await tensors.read(dGate) }, dUp: { values: await tensors.read(dUp) } };
  },
});
