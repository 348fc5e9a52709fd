import { expectMatrix, expectPositive, expectVector, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, type Fill, randomValues } from "../testing/case-tensors.js";

/**
 * RMS norm, one row at a time:
 *
 *     out[t, d] = x[t, d] / sqrt(mean_d(x[t, d]²) + eps) · (1 + weight[d])
 *
 * Hugging Face, Keras and Flax checkpoints store the scale minus one, and the op adds the one. GGUF stores the sum:
 * its loader subtracts one. The sum of squares is accumulated in f32 or wider.
 *
 * @param out    f32 [T, D], overwritten; may be `x` itself
 * @param x      f32 [T, D]
 * @param weight f32 [D], offset from 1
 * @param eps    added to the mean square (same unit as x²); > 0; Gemma uses 1e-6
 * @throws ERR_SHAPE `rmsNorm: weight must be f32 [2048] (D), got f32 [3072]`
 * @throws ERR_RANGE `rmsNorm: eps must be > 0, got 0`
 */
export type RmsNorm = (out: Tensor, x: Tensor, weight: Tensor, eps: number) => void;

interface RmsNormCase {
  readonly T: number;
  readonly D: number;
  readonly eps?: number;
  readonly start?: number;
  readonly inPlace?: boolean;
  readonly fill?: Fill;
}

export const rmsNorm = defineOp<Parameters<RmsNorm>, RmsNormCase>({
  name: "rmsNorm",
  check(out, x, weight, eps) {
    const rows = rowsOf(x);
    const width = widthOf(x);
    expectMatrix("rmsNorm", "x", x, rows, width, "T, D");
    expectMatrix("rmsNorm", "out", out, rows, width, "T, D");
    expectVector("rmsNorm", "weight", weight, width, "D");
    expectPositive("rmsNorm", "eps", eps);
  },
  tolerance: { f32: 1e-6 }, // a sum of 2048 squares in f32 lanes, a division and a root
  cases: [
    { T: 0, D: 16 },
    { T: 1, D: 1 },
    { T: 3, D: 7, start: 1 },
    { T: 2, D: 15, inPlace: true },
    { T: 2, D: 16, start: 3 },
    { T: 5, D: 17, start: 3, inPlace: true },
    { T: 4, D: 33 },
    { T: 5, D: 130, eps: 1e-5 },
    { T: 2, D: 32, fill: "zero" }, // 0 / sqrt(eps)
    { T: 2, D: 33, fill: "denormal" },
    { T: 2, D: 33, fill: "tiny", eps: 1e-30 },
    { T: 2, D: 33, fill: "large" },
    { T: 2, D: 20, fill: "huge" },
    { T: 4 * 9, D: 256, inPlace: true }, // heads of q in Gemma 3
    { T: 17, D: 640 },
    { T: 1, D: 2048, inPlace: true },
    { T: 2, D: 3072 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const x = tensors.input([c.T, c.D], randomValues(rng, c.T * c.D, c.fill));
    const weight = tensors.input([c.D], randomValues(rng, c.D));
    const out = c.inPlace ? x : tensors.output("f32", [c.T, c.D]);
    be.rmsNorm(out, x, weight, c.eps ?? 1e-6);
    return { out: { values: await tensors.read(out) } };
  },
});
