import type { StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import { expectDistinct, expectInteger } from "../check.js";
import { defineOp, type Output } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { differences } from "../testing/differences.js";
import { randomStoredWeight } from "../testing/stored-weight.js";
import { matmul, productMagnitudes, roundedFor } from "./matmul.js";

const MOST = 4;

/**
 * Several projections of the same rows:
 *
 *     outs[i] = matmul(x, weights[i])        the same bits
 *
 * A backend prepares x once, and its threads share the products as one loop.
 *
 * @param outs    f32 [T, N_i], 1 to 4 of them, overwritten; distinct, and not `x`
 * @param x       f32 [T, K]
 * @param weights [N_i, K]
 */
export type Matmuls = (outs: readonly Tensor[], x: Tensor, weights: readonly Weight[]) => void;

interface MatmulsCase {
  readonly T: number;
  readonly K: number;
  /** Type and N of each weight. */
  readonly weights: readonly (readonly [StoredDtype, number])[];
  readonly start?: number;
}

export const matmuls = defineOp<Parameters<Matmuls>, MatmulsCase>({
  name: "matmuls",
  check(outs, x, weights) {
    expectInteger("matmuls", "the number of weights", weights.length, 1, MOST);
    if (outs.length !== weights.length) {
      throw new GemmaError("ERR_SHAPE", `matmuls: outs must be ${weights.length}, one a weight, got ${outs.length}`);
    }
    for (let i = 0; i < outs.length; i++) {
      matmul.check(outs[i]!, x, weights[i]!);
      for (let j = 0; j < i; j++) expectDistinct("matmuls", outs[i]!, "another out", outs[j]!);
    }
  },
  tolerance: matmul.tolerance,
  cases: [
    { T: 0, K: 32, weights: [["Q8_0", 16]] },
    { T: 1, K: 32, weights: [["Q8_0", 1]] },
    {
      T: 3,
      K: 64,
      weights: [
        ["F32", 17],
        ["Q4_0", 5],
      ],
      start: 3,
    }, // dense beside quantised
    {
      T: 2,
      K: 256,
      weights: [
        ["Q5_0", 33],
        ["Q5_0", 16],
        ["Q8_0", 15],
      ],
      start: 1,
    }, // q, k, v of a Q4_K_M file
    {
      T: 7,
      K: 512,
      weights: [
        ["Q4_K", 20],
        ["Q6_K", 49],
        ["Q2_K", 16],
        ["BF16", 3],
      ],
    }, // no two alike
    {
      T: 1,
      K: 640,
      weights: [
        ["Q5_0", 1024],
        ["Q5_0", 256],
        ["Q8_0", 256],
      ],
    }, // Gemma 3 270M
    {
      T: 133,
      K: 256,
      weights: [
        ["Q5_0", 48],
        ["Q4_K", 33],
      ],
    }, // more rows than a block
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const weights = c.weights.map(([dtype, n]) => be.weight(randomStoredWeight(dtype, [n, c.K], rng)));
    const dtypes = c.weights.map(([dtype]) => dtype);
    const values = roundedFor(be, dtypes, randomValues(rng, c.T * c.K));
    const x = tensors.input([c.T, c.K], values);
    const outs = c.weights.map(([, n]) => tensors.output("f32", [c.T, n]));
    be.matmuls(outs, x, weights);
    const result: Record<string, Output> = {};
    for (const [i, weight] of weights.entries()) {
      const out = await tensors.read(outs[i]!);
      const alone = tensors.output("f32", [c.T, weight.shape[0]]);
      be.matmul(alone, x, weight);
      result[`out ${i}`] = { values: out, magnitude: await productMagnitudes(be, values, weight) };
      result[`out ${i} against matmul`] = { values: differences(out, await tensors.read(alone)) };
    }
    return result;
  },
});
