import { expectMatrix, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * out = gelu(gate) · up, element by element, with the tanh form of GELU (the erf form is off by up to 5e-4):
 *
 *     gelu(x) = 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))
 *
 * @param out  f32 [T, F], overwritten; may be `gate` or `up`
 * @param gate f32 [T, F]
 * @param up   f32 [T, F]
 */
export type Geglu = (out: Tensor, gate: Tensor, up: Tensor) => void;

interface GegluCase {
  readonly T: number;
  readonly F: number;
  readonly start?: number;
  readonly alias?: "gate" | "up";
  readonly fill?: Fill;
}

export const geglu = defineOp<Parameters<Geglu>, GegluCase>({
  name: "geglu",
  check(out, gate, up) {
    const rows = rowsOf(gate);
    const width = widthOf(gate);
    expectMatrix("geglu", "gate", gate, rows, width, "T, F");
    expectMatrix("geglu", "up", up, rows, width, "T, F");
    expectMatrix("geglu", "out", out, rows, width, "T, F");
  },
  tolerance: { f32: 1e-6 },
  cases: [
    { T: 0, F: 8 },
    { T: 1, F: 1 },
    { T: 1, F: 7, start: 1, alias: "gate" },
    { T: 3, F: 15, start: 3 },
    { T: 2, F: 16, alias: "up" },
    { T: 5, F: 17, start: 2, alias: "gate" },
    { T: 2, F: 33 },
    { T: 2, F: 33, fill: "large" },
    { T: 2, F: 33, fill: "huge" }, // x³ overflows f32; gelu is still x or 0
    { T: 2, F: 16, fill: "zero" },
    { T: 2, F: 17, fill: "denormal" },
    { T: 9, F: 2048, alias: "gate" },
    { T: 1, F: 16384 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    // From -12 to 12 and beyond: both tails of gelu and the part between.
    const gate = tensors.input(
      [c.T, c.F],
      randomValues(rng, c.T * c.F, c.fill).map((value) => 4 * value),
    );
    const up = tensors.input([c.T, c.F], randomValues(rng, c.T * c.F, c.fill));
    const out = c.alias === "gate" ? gate : c.alias === "up" ? up : tensors.output("f32", [c.T, c.F]);
    be.geglu(out, gate, up);
    return { out: { values: await tensors.read(out) } };
  },
});
