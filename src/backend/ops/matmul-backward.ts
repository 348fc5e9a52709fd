import { STORED_DTYPES, type StoredDtype } from "../../base/dtype.js";
import { expectDistinct, expectMatrix, rowsOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { randomStoredWeight, weightValues } from "../testing/stored-weight.js";

/**
 * The gradient of matmul in its input, through a weight that stays packed:
 *
 *     dx[t, k] = sum_n dOut[t, n] · weight[n, k]
 *
 * dOut is never quantised. With `activations: "f32"` it is used as it is and sums are f32 or wider; else a backend may round
 * dOut and the weight to bf16 first.
 *
 * @param dx         f32 [T, K], overwritten, or added to with `accumulate`; not `dOut`
 * @param dOut       f32 [T, N]
 * @param weight     [N, K]
 * @param accumulate whether dx is added to
 */
export type MatmulBackward = (dx: Tensor, dOut: Tensor, weight: Weight, accumulate: boolean) => void;

interface MatmulBackwardCase {
  readonly dtype: StoredDtype;
  readonly T: number;
  readonly N: number;
  readonly K: number;
  readonly start?: number;
  readonly accumulate?: boolean;
}

export const matmulBackward = defineOp<Parameters<MatmulBackward>, MatmulBackwardCase>({
  name: "matmulBackward",
  check(dx, dOut, weight) {
    const rows = rowsOf(dOut);
    expectMatrix("matmulBackward", "dOut", dOut, rows, weight.shape[0], "T, N");
    expectMatrix("matmulBackward", "dx", dx, rows, weight.shape[1], "T, K");
    expectDistinct("matmulBackward", dx, "dOut", dOut);
  },
  // Of |dx before| + sum_n |dOut · w|, since the terms cancel. int8: both factors rounded to bf16.
  tolerance: { f32: 1e-6, int8: 8e-3 },
  cases: [
    ...STORED_DTYPES.flatMap((dtype): MatmulBackwardCase[] => [
      { dtype, T: 1, N: 1, K: 256 },
      { dtype, T: 3, N: 33, K: 512, start: 1, accumulate: true },
      { dtype, T: 19, N: 49, K: 256 },
    ]),
    ...(["F32", "F16", "BF16"] as const).flatMap((dtype): MatmulBackwardCase[] => [
      { dtype, T: 0, N: 16, K: 32 },
      { dtype, T: 2, N: 3, K: 7, start: 1, accumulate: true },
      { dtype, T: 5, N: 16, K: 17, start: 3 },
    ]),
    { dtype: "Q5_0", T: 33, N: 1024, K: 640, accumulate: true }, // Gemma 3 270M: q, FFN out
    { dtype: "Q6_K", T: 5, N: 640, K: 2048 },
    { dtype: "BF16", T: 40, N: 256, K: 640 },
    { dtype: "Q4_0", T: 1033, N: 35, K: 96, accumulate: true }, // blocks of rows
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const weight = be.weight(randomStoredWeight(c.dtype, [c.N, c.K], rng));
    const dOutValues = randomValues(rng, c.T * c.N);
    const before = c.accumulate ? randomValues(rng, c.T * c.K) : new Float32Array(c.T * c.K);
    const dx = c.accumulate ? tensors.input([c.T, c.K], before) : tensors.output("f32", [c.T, c.K]);
    be.matmulBackward(dx, tensors.input([c.T, c.N], dOutValues), weight, c.accumulate ?? false);
    const w = await weightValues(be, weight);
    const magnitude = before.map(Math.abs);
    for (let t = 0; t < c.T; t++) {
      for (let n = 0; n < c.N; n++) {
        const factor = Math.abs(dOutValues[t * c.N + n]!);
        for (let k = 0; k < c.K; k++) magnitude[t * c.K + k]! += factor * Math.abs(w[n * c.K + k]!);
      }
    }
    return { dx: { values: await tensors.read(dx), magnitude: magnitude.map((value) => value + 1e-30) } };
  },
});
