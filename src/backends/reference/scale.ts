import type { Scale } from "../../backend/ops/scale.js";
import { f32 } from "./memory.js";

export const scale: Scale = (outTensor, xTensor, factor) => {
  const out = f32(outTensor);
  const x = f32(xTensor);
  if (factor === 0) out.fill(0);
  else if (factor === 1) out.set(x);
  else for (let i = 0; i < out.length; i++) out[i] = factor * x[i]!;
};
