import { STORED_DTYPES, type StoredDtype } from "../../base/dtype.js";
import { expectFinite, expectMatrix, expectVector, rowsOf } from "../check.js";
import { defineOp } from "../op.js";
import type { Tensor, Weight } from "../tensor.js";
import { CaseTensors } from "../testing/case-tensors.js";
import { randomStoredWeight } from "../testing/stored-weight.js";

/**
 * Looks up rows of the embedding table: out[t, d] = table[ids[t], d] * scale.
 *
 * @param out   f32 [T, D], overwritten
 * @param table [V, D]
 * @param ids   i32 [T], each in 0..V-1; a kernel yields a zero row for an id outside (the engine checks ids)
 * @param scale Gemma: sqrt(D), not rounded to bf16 (bf16 references round it)
 */
export type Embed = (out: Tensor, table: Weight, ids: Tensor, scale: number) => void;

interface EmbedCase {
  readonly dtype: StoredDtype;
  readonly V: number;
  readonly D: number;
  readonly ids: readonly number[]; // T of them
  readonly scale?: number;
  readonly start?: number;
}

export const embed = defineOp<Parameters<Embed>, EmbedCase>({
  name: "embed",
  check(out, table, ids, scale) {
    const rows = rowsOf(out);
    expectMatrix("embed", "out", out, rows, table.shape[1], "T, D");
    expectVector("embed", "ids", ids, rows, "T", "i32");
    expectFinite("embed", "scale", scale);
  },
  tolerance: { f32: 3e-7 }, // of |out|: a dequantised weight is exact, the product rounds twice
  cases: [
    ...STORED_DTYPES.map((dtype) => ({ dtype, V: 37, D: 512, ids: [0, 36, 17, 17, 15, 16, 31, 32], start: 1 })),
    { dtype: "F32", V: 1, D: 1, ids: [0] },
    { dtype: "F32", V: 5, D: 7, ids: [4, 1, 0], start: 1 },
    { dtype: "F16", V: 19, D: 15, ids: [18, 3] },
    { dtype: "BF16", V: 16, D: 17, ids: [15, 0, 7], start: 3 },
    { dtype: "Q4_0", V: 3, D: 32, ids: [], scale: 1 },
    { dtype: "Q8_0", V: 33, D: 96, ids: [-1, 32, 33, 2 ** 31 - 1, -(2 ** 31), 0] },
    { dtype: "Q8_0", V: 1000, D: 640, ids: Array.from({ length: 40 }, (_, t) => (t * 677) % 1000) },
    { dtype: "Q6_K", V: 500, D: 2048, ids: [499, 250] },
  ],
  async run(be, c, rng) {
    const tensors = new CaseTensors(be, c.start);
    const table = be.weight(randomStoredWeight(c.dtype, [c.V, c.D], rng));
    const out = tensors.output("f32", [c.ids.length, c.D]);
    be.embed(out, table, tensors.input([c.ids.length], Int32Array.from(c.ids)), c.scale ?? Math.sqrt(c.D));
    const values = (await tensors.read(out)) as Float32Array;
    return { out: { values, magnitude: values.map(Math.abs) } };
  },
});
