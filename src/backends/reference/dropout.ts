import type { DropoutOp } from "../../backend/ops/dropout.js";
import { uniformAt } from "../../base/rng.js";
import { f32 } from "./memory.js";

export const dropout: DropoutOp = (outTensor, xTensor, { rate, seed }, first) => {
  const out = f32(outTensor);
  const x = f32(xTensor);
  const factor = Math.fround(1 / (1 - rate));
  for (let i = 0; i < out.length; i++) out[i] = uniformAt(seed, first + i) < rate ? 0 : x[i]! * factor;
};
