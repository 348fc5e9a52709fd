import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { type RopeOptions, rope } from "./rope.js";

/**
 * The gradient of rope, in place: a rotation is undone by the one of the negative angle.
 *
 * @param dx        f32 [T, heads * H], in place: the gradient of what rope made becomes that of what it was given
 * @param positions i32 [T], as rope had them
 * @param options   as rope had them
 */
export type RopeBackward = (dx: Tensor, positions: Tensor, options: RopeOptions) => void;

interface RopeBackwardCase {
  readonly positions: readonly number[]; // T of them
  readonly heads: number;
  readonly H: number;
  readonly theta?: number;
  readonly scalingFactor?: number;
  readonly start?: number;
}

export const ropeBackward = defineOp<Parameters<RopeBackward>, RopeBackwardCase>({
  name: "ropeBackward",
  check: rope.check,
  tolerance: { f32: 1e-6 }, // of 1 + both elements of the pair, which may cancel
  cases: [
    { positions: [], heads: 2, H: 8 },
    { positions: [0], heads: 1, H: 2 },
    { positions: [0, 1, 2, 900], heads: 3, H: 6, start: 1 },
    { positions: [7, 2, 2], heads: 2, H: 14, start: 3 },
    { positions: [5, 100_000], heads: 1, H: 16, scalingFactor: 8 },
    { positions: [131_071, 32_767], heads: 4, H: 256, theta: 1_000_000 },
    { positions: Array.from({ length: 33 }, (_, t) => t), heads: 4, H: 256 },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const rows = c.positions.length;
    const values = randomValues(rng, rows * c.heads * c.H);
    const half = c.H / 2;
    const partner = (i: number) => (i % c.H < half ? i + half : i - half);
    const magnitude = values.map((value, i) => 1 + Math.abs(value) + Math.abs(values[partner(i)]!));
    const dx = tensors.input([rows, c.heads * c.H], values);
    const positions = tensors.input([rows], Int32Array.from(c.positions));
    be.ropeBackward(dx, positions, { headDim: c.H, theta: c.theta ?? 10_000, scalingFactor: c.scalingFactor ?? 1 });
    return { dx: { values: await tensors.read(dx), magnitude } };
  },
});
