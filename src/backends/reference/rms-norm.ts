import type { RmsNorm } from "../../backend/ops/rms-norm.js";
import { f32 } from "./memory.js";

export const rmsNorm: RmsNorm = (outTensor, xTensor, weightTensor, eps) => {
  const out = f32(outTensor); //       [T, D]
  const x = f32(xTensor); //           [T, D]
  const weight = f32(weightTensor); // [D]
  const width = weight.length;
  for (let start = 0; start < x.length; start += width) {
    let squares = 0;
    for (let d = 0; d < width; d++) squares += x[start + d]! ** 2;
    const factor = 1 / Math.sqrt(squares / width + eps);
    for (let d = 0; d < width; d++) out[start + d] = x[start + d]! * factor * (1 + weight[d]!); // offset from 1
  }
};
