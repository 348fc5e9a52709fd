import type { SoftCap } from "../../backend/ops/soft-cap.js";
import { f32 } from "./memory.js";

export const softCap: SoftCap = (xTensor, cap) => {
  const x = f32(xTensor);
  for (let i = 0; i < x.length; i++) x[i] = Math.tanh(x[i]! / cap) * cap;
};
