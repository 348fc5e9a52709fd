import { expectMatrix, expectShape } from "../check.js";
import type { Tensor, Weight } from "../tensor.js";

/**
 * Looks up rows of the embedding table: out[t, d] = table[ids[t], d] * scale.
 *
 * @param out   f32 [T, D], overwritten
 * @param table [V, D]
 * @param ids   i32 [T], each in 0..V-1; a kernel yields a zero row for an id outside (the engine checks ids)
 * @param scale Gemma: sqrt(D), not rounded to bf16 (bf16 references round it)
 */
export type Embed = (out: Tensor, table: Weight, ids: Tensor, scale: number) => void;

export function checkEmbed(...[out, table, ids]: Parameters<Embed>): void {
  const [rows] = expectMatrix("embed", "out", out, "T, D");
  expectShape("embed", "out", out, [rows, table.shape[1]], "T, D");
  expectShape("embed", "ids", ids, [rows], "T", "i32");
}
