import type { Add } from "../../backend/ops/add.js";
import { f32 } from "./memory.js";

export const add: Add = (outTensor, aTensor, bTensor) => {
  const out = f32(outTensor);
  const a = f32(aTensor);
  const b = f32(bTensor);
  for (let i = 0; i < out.length; i++) out[i] = a[i]! + b[i]!;
};
