import { GemmaError } from "../../base/errors.js";
import { expectMatrix } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { randomStoredWeight, weightValues } from "../testing/stored-weight.js";

const DTYPES = ["F32", "F16", "BF16"] as const;

/**
 * Packs a weight anew from values that training changed, in the place of the old ones and in its own type: F16 and BF16
 * are rounded to nearest, ties to even.
 *
 * @param weight [N, K], stored as F32, F16 or BF16 and already packed
 * @param values f32 [N, K]
 * @throws ERR_INVALID_DTYPE for a quantised weight
 */
export type PackWeight = (weight: Weight, values: Tensor) => void;

interface PackWeightCase {
  readonly dtype: (typeof DTYPES)[number];
  readonly N: number;
  readonly K: number;
  readonly start?: number;
  /** Of the values; 1. */
  readonly size?: number;
}

export const packWeight = defineOp<Parameters<PackWeight>, PackWeightCase>({
  name: "packWeight",
  check(weight, values) {
    if (!DTYPES.some((dtype) => dtype === weight.dtype)) {
      throw new GemmaError("ERR_INVALID_DTYPE", `packWeight: weight must be F32, F16 or BF16, got ${weight.dtype}`);
    }
    expectMatrix("packWeight", "values", values, weight.shape[0], weight.shape[1], "N, K");
  },
  tolerance: { f32: 0 },
  cases: DTYPES.flatMap((dtype): PackWeightCase[] => [
    { dtype, N: 1, K: 1 },
    { dtype, N: 17, K: 33, start: 1 },
    { dtype, N: 49, K: 64 },
    { dtype, N: 15, K: 1 },
    { dtype, N: 16, K: 3, size: 2 ** -20 }, // below the smallest normal F16
    { dtype, N: 18, K: 5, size: 2 ** 16 }, // beyond the largest
  ]),
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const weight = be.weight(randomStoredWeight(c.dtype, [c.N, c.K], rng));
    const values = randomValues(rng, c.N * c.K).map((value) => value * (c.size ?? 1));
    be.packWeight(weight, tensors.input([c.N, c.K], values));
    return { weight: { values: await weightValues(be, weight) } };
  },
});
