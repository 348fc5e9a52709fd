import type { Geglu } from "../../backend/ops/geglu.js";
import { f32 } from "./memory.js";

export const geglu: Geglu = (outTensor, gateTensor, upTensor) => {
  const out = f32(outTensor);
  const gate = f32(gateTensor);
  const up = f32(upTensor);
  for (let i = 0; i < out.length; i++) out[i] = geluTanh(gate[i]!) * up[i]!;
};

function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
