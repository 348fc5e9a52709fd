import { expectMatrix, rowsOf, widthOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/**
 * The gradient of matmul in its weight: dWeight[n, k] += sum_t dOut[t, n] · x[t, k]. Computed in f32.
 *
 * @param dWeight f32 [N, K], added to
 * @param dOut    f32 [T, N]
 * @param x       f32 [T, K]
 */
export type MatmulWeightBackward = (dWeight: Tensor, dOut: Tensor, x: Tensor) => void;

interface MatmulWeightBackwardCase {
  readonly T: number;
  readonly N: number;
  readonly K: number;
  readonly start?: number;
}

export const matmulWeightBackward = defineOp<Parameters<MatmulWeightBackward>, MatmulWeightBackwardCase>({
  name: "matmulWeightBackward",
  check(dWeight, dOut, x) {
    const rows = rowsOf(x);
    const width = widthOf(x);
    const outWidth = widthOf(dOut);
    expectMatrix("matmulWeightBackward", "x", x, rows, width, "T, K");
    expectMatrix("matmulWeightBackward", "dOut", dOut, rows, outWidth, "T, N");
    expectMatrix("matmulWeightBackward", "dWeight", dWeight, outWidth, width, "N, K");
  },
  tolerance: { f32: 1e-6 }, // of |dWeight before| + sum_t |dOut · x|
  cases: [
    { T: 0, N: 4, K: 4 },
    { T: 1, N: 1, K: 1 },
    { T: 3, N: 7, K: 15, start: 1 },
    { T: 17, N: 16, K: 33, start: 3 },
    { T: 33, N: 49, K: 130 },
    { T: 70, N: 256, K: 320 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const before = randomValues(rng, c.N * c.K);
    const dOut = randomValues(rng, c.T * c.N);
    const x = randomValues(rng, c.T * c.K);
    const dWeight = tensors.input([c.N, c.K], before);
    be.matmulWeightBackward(dWeight, tensors.input([c.T, c.N], dOut), tensors.input([c.T, c.K], x));
    const magnitude = before.map(Math.abs);
    for (let t = 0; t < c.T; t++) {
      for (let n = 0; n < c.N; n++) {
        for (let k = 0; k < c.K; k++) magnitude[n * c.K + k]! += Math.abs(dOut[t * c.N + n]! * x[t * c.K + k]!);
      }
    }
    return { dWeight: { values: await tensors.read(dWeight), magnitude } };
  },
});
