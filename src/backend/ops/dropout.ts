import { expectInteger, expectSameShape, expectWithin } from "../check.js";
import { defineOp } from "../op.js";
import { elementCount, type Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";

/** Which elements are dropped. */
export interface Dropout {
  /** The share that is dropped, 0 <= rate < 1. */
  readonly rate: number;
  /** Integer in 0..2^53-1. */
  readonly seed: number;
}

/**
 * out[i] = 0 where uniformAt(seed, first + i) < rate, else x[i] / (1 - rate), a product with that factor rounded to f32. What is
 * dropped depends on the arguments alone: the same op takes a gradient back, and computing it anew drops the same.
 *
 * @param out   f32 of any shape, overwritten; may be `x`
 * @param x     f32 of the same shape
 * @param first index of the first element's draw; integer >= 0, the last one's at most 2^53-1
 */
export type DropoutOp = (out: Tensor, x: Tensor, dropout: Dropout, first: number) => void;

interface DropoutCase {
  readonly shape: readonly number[];
  readonly rate: number;
  readonly first: number;
  readonly start?: number;
  readonly inPlace?: boolean;
}

const MOST = Number.MAX_SAFE_INTEGER;

export const dropout = defineOp<Parameters<DropoutOp>, DropoutCase>({
  name: "dropout",
  check(out, x, { rate, seed }, first) {
    expectSameShape("dropout", "x", x, out);
    expectWithin("dropout", "rate", rate, 0, 1 - Number.EPSILON);
    expectInteger("dropout", "seed", seed, 0, MOST);
    expectInteger("dropout", "first", first, 0, MOST - elementCount(x.shape));
  },
  tolerance: { f32: 0 }, // one rounding, and the same elements everywhere
  cases: [
    { shape: [0, 3], rate: 0.5, first: 0 },
    { shape: [17], rate: 0, first: 5, start: 1 },
    { shape: [9, 33], rate: 0.05, first: 0, start: 3 },
    { shape: [33, 40], rate: 0.9, first: 2 ** 33 + 7, inPlace: true },
    { shape: [70, 301], rate: 0.1, first: 2 ** 52, start: 1 }, // shared by threads
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const count = c.shape.reduce((product, dim) => product * dim, 1);
    const x = tensors.input(c.shape, randomValues(rng, count));
    const out = c.inPlace ? x : tensors.output("f32", c.shape);
    be.dropout(out, x, { rate: c.rate, seed: 2 ** 40 + 3 }, c.first);
    return { out: { values: await tensors.read(out) } };
  },
});
