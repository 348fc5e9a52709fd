import type { StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import { expectDistinct, expectMatrix, rowsOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors, randomValues } from "../testing/case-tensors.js";
import { differences } from "../testing/differences.js";
import { randomStoredWeight } from "../testing/stored-weight.js";
import { productMagnitudes, roundedFor } from "./matmul.js";

/**
 * The first half of the feed-forward network:
 *
 *     out = geglu(matmul(x, wGate), matmul(x, wUp))        the same bits
 *
 * A backend needs not write the two products to memory.
 *
 * @param out   f32 [T, F], overwritten; not `x`
 * @param x     f32 [T, D]
 * @param wGate [F, D]
 * @param wUp   [F, D]
 */
export type GatedMatmul = (out: Tensor, x: Tensor, wGate: Weight, wUp: Weight) => void;

interface GatedMatmulCase {
  readonly gate: StoredDtype;
  readonly up: StoredDtype;
  readonly T: number;
  readonly F: number;
  readonly D: number;
  readonly start?: number;
}

export const gatedMatmul = defineOp<Parameters<GatedMatmul>, GatedMatmulCase>({
  name: "gatedMatmul",
  check(out, x, wGate, wUp) {
    const rows = rowsOf(x);
    const [width, inner] = wGate.shape;
    expectMatrix("gatedMatmul", "x", x, rows, inner, "T, D");
    expectMatrix("gatedMatmul", "out", out, rows, width, "T, F");
    if (wUp.shape[0] !== width || wUp.shape[1] !== inner) {
      throw new GemmaError(
        "ERR_SHAPE",
        `gatedMatmul: wUp must be [${width}, ${inner}] (F, D), got [${wUp.shape.join(", ")}]`,
      );
    }
    expectDistinct("gatedMatmul", out, "x", x);
  },
  tolerance: { f32: 2e-6, int8: 4e-6 },
  cases: [
    { gate: "Q8_0", up: "Q8_0", T: 0, F: 16, D: 32 },
    { gate: "Q5_0", up: "Q5_0", T: 1, F: 1, D: 32 },
    { gate: "Q4_0", up: "Q4_0", T: 2, F: 33, D: 64, start: 1 },
    { gate: "Q4_K", up: "Q6_K", T: 3, F: 15, D: 256, start: 3 },
    { gate: "Q5_K", up: "Q4_K", T: 7, F: 49, D: 512 },
    { gate: "BF16", up: "F32", T: 5, F: 17, D: 33 },
    { gate: "Q4_0", up: "BF16", T: 4, F: 31, D: 96 },
    { gate: "Q5_0", up: "Q5_0", T: 1, F: 2048, D: 640 }, // Gemma 3 270M
    { gate: "Q5_0", up: "Q5_0", T: 133, F: 64, D: 640 }, // more rows than a block
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const shape = [c.F, c.D] as const;
    const wGate = be.weight(randomStoredWeight(c.gate, shape, rng));
    const wUp = be.weight(randomStoredWeight(c.up, shape, rng));
    const values = roundedFor(be, [c.gate, c.up], randomValues(rng, c.T * c.D));
    const x = tensors.input([c.T, c.D], values);
    const [out, gate, up, unfused] = Array.from({ length: 4 }, () => tensors.output("f32", [c.T, c.F]));
    be.gatedMatmul(out!, x, wGate, wUp);
    be.matmul(gate!, x, wGate);
    be.matmul(up!, x, wUp);
    be.geglu(unfused!, gate!, up!);

    // What errors of the products amount to: gelu's slope is at most 1.13.
    const [g, u] = [await tensors.read(gate!), await tensors.read(up!)];
    const [gSize, uSize] = [await productMagnitudes(be, values, wGate), await productMagnitudes(be, values, wUp)];
    const magnitude = gSize.map(
      (size, i) => 1.13 * size * Math.abs(u[i]!) + Math.abs(g[i]!) * (uSize[i]! + Math.abs(u[i]!)) + 1,
    );
    const result = await tensors.read(out!);
    return {
      out: { values: result, magnitude },
      "out against the unfused operations": { values: differences(result, await tensors.read(unfused!)) },
    };
  },
});
