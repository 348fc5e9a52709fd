import { expectMatrix, expectPositive, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * The gradients of rmsNorm. With f = 1 / sqrt(mean_d(x²) + eps) and g[d] = dOut[d] (1 + weight[d]), one row at a time:
 *
 *     dx[d]      = f · (g[d] - x[d] f² · mean_d(g x))
 *     dWeight[d] += dOut[d] x[d] f
 *
 * @param dx         f32 [T, D], overwritten, or added to with `accumulate`; overwritten it may be `dOut` itself
 * @param dWeight    f32 [D], added to; null: the weight is frozen
 * @param dOut       f32 [T, D]
 * @param x          f32 [T, D], what rmsNorm read
 * @param weight     f32 [D], offset from 1
 * @param eps        as rmsNorm had it
 * @param accumulate whether dx is added to
 */
export type RmsNormBackward = (
  dx: Tensor,
  dWeight: Tensor | null,
  dOut: Tensor,
  x: Tensor,
  weight: Tensor,
  eps: number,
  accumulate: boolean,
) => void;

interface RmsNormBackwardCase {
  readonly T: number;
  readonly D: number;
  readonly start?: number;
  readonly accumulate?: boolean;
  readonly inPlace?: boolean;
  readonly frozen?: boolean;
  readonly fill?: Fill;
}

export const rmsNormBackward = defineOp<Parameters<RmsNormBackward>, RmsNormBackwardCase>({
  name: "rmsNormBackward",
  check(dx, dWeight, dOut, x, weight, eps) {
    const rows = rowsOf(x);
    const width = widthOf(x);
    expectMatrix("rmsNormBackward", "x", x, rows, width, "T, D");
    expectMatrix("rmsNormBackward", "dOut", dOut, rows, width, "T, D");
    expectMatrix("rmsNormBackward", "dx", dx, rows, width, "T, D");
    expectVector("rmsNormBackward", "weight", weight, width, "D");
    if (dWeight !== null) expectVector("rmsNormBackward", "dWeight", dWeight, width, "D");
    expectPositive("rmsNormBackward", "eps", eps);
  },
  tolerance: { f32: 5e-6 }, // of 1 + |out|; dWeight sums up to 40 rows of about 1
  cases: [
    { T: 0, D: 16 },
    { T: 1, D: 1 },
    { T: 3, D: 7, start: 1, accumulate: true },
    { T: 2, D: 15, inPlace: true },
    { T: 2, D: 16, start: 3, frozen: true },
    { T: 5, D: 17, start: 3, inPlace: true, frozen: true },
    { T: 4, D: 33, accumulate: true, frozen: true },
    { T: 2, D: 32, fill: "zero" }, // f = 1 / sqrt(eps)
    { T: 2, D: 33, fill: "large" },
    { T: 4 * 9, D: 256, inPlace: true },
    { T: 17, D: 640, accumulate: true },
    { T: 2, D: 3072 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const random = (fill?: Fill) => tensors.input([c.T, c.D], randomValues(rng, c.T * c.D, fill));
    const x = random(c.fill);
    // At x = 0 gradients are 1000 times as large as they come in.
    const dOut = random(c.fill === "zero" ? "tiny" : "normal");
    const weight = tensors.input([c.D], randomValues(rng, c.D));
    const dWeight = c.frozen ? null : tensors.input([c.D], randomValues(rng, c.D));
    const dx = c.inPlace ? dOut : c.accumulate ? random() : tensors.output("f32", [c.T, c.D]);
    be.rmsNormBackward(dx, dWeight, dOut, x, weight, 1e-6, c.accumulate ?? false);
    const values = await tensors.read(dx);
    return dWeight ? { dx: { values }, dWeight: { values: await tensors.read(dWeight) } } : { dx: { values } };
  },
});
