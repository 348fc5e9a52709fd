import { expectMatrix, expectShape } from "../check.js";
import type { Tensor } from "../tensor.js";

/**
 * out = gelu(gate) · up, element by element, with the tanh form of GELU (the erf form is off by up to 5e-4):
 *
 *     gelu(x) = 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))
 *
 * @param out  f32 [T, F], overwritten; may be `gate` or `up`
 * @param gate f32 [T, F]
 * @param up   f32 [T, F]
 */
export type Geglu = (out: Tensor, gate: Tensor, up: Tensor) => void;

export function checkGeglu(...[out, gate, up]: Parameters<Geglu>): void {
  const [rows, width] = expectMatrix("geglu", "gate", gate, "T, F");
  expectShape("geglu", "up", up, [rows, width], "T, F");
  expectShape("geglu", "out", out, [rows, width], "T, F");
}
