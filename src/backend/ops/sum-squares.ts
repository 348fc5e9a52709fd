import { expectFloats, expectVector } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/**
 * out[0] = sum of x², for the norm of gradients. Summed in f64, or in f32 blocks that are joined in f64, in an order that
 * does not depend on the number of threads.
 *
 * @param out f32 [1], overwritten
 * @param x   f32 of any shape
 */
export type SumSquares = (out: Tensor, x: Tensor) => void;

interface SumSquaresCase {
  readonly count: number;
  readonly start?: number;
}

export const sumSquares = defineOp<Parameters<SumSquares>, SumSquaresCase>({
  name: "sumSquares",
  check(out, x) {
    expectVector("sumSquares", "out", out, 1, "1");
    expectFloats("sumSquares", "x", x);
  },
  tolerance: { f32: 1e-6 },
  cases: [{ count: 0 }, { count: 1 }, { count: 17, start: 1 }, { count: 1000, start: 3 }, { count: 100_003 }],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const out = tensors.output("f32", [1]);
    be.sumSquares(out, tensors.input([c.count], randomValues(rng, c.count)));
    return { out: { values: await tensors.read(out) } };
  },
});
