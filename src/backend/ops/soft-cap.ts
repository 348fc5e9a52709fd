import { expectMatrix, expectPositive } from "../check.js";
import type { Tensor } from "../tensor.js";

/**
 * x = tanh(x / cap) · cap in place: Gemma 2 limits its logits this way (cap 30).
 *
 * @param x   f32 [R, V], in place
 * @param cap > 0, same unit as x
 */
export type SoftCap = (x: Tensor, cap: number) => void;

export function checkSoftCap(...[x, cap]: Parameters<SoftCap>): void {
  expectMatrix("softCap", "x", x, "R, V");
  expectPositive("softCap", "cap", cap);
}
