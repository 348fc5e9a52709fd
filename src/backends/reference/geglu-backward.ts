import type { GegluBackward } from "../../backend/ops/geglu-backward.js";
import { f32 } from "./memory.js";

export const gegluBackward: GegluBackward = (dGateTensor, dUpTensor, dOutTensor, gateTensor, upTensor) => {
  const dGate = f32(dGateTensor);
  const dUp = f32(dUpTensor);
  const dOut = f32(dOutTensor);
  const gate = f32(gateTensor);
  const up = f32(upTensor);
  for (let i = 0; i < dOut.length; i++) {
    const { value, slope } = geluTanh(gate[i]!);
    const d = dOut[i]!; // before an alias overwrites it
    dGate[i] = d * up[i]! * slope;
    dUp[i] = d * value;
  }
};

/** gelu(x), tanh form, and its derivative. */
function geluTanh(x: number): { value: number; slope: number } {
  const root = Math.sqrt(2 / Math.PI);
  const tanh = Math.tanh(root * (x + 0.044715 * x ** 3));
  const steepness = root * (1 + 3 * 0.044715 * x ** 2);
  return { value: 0.5 * x * (1 + tanh), slope: 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh ** 2) * steepness };
}
