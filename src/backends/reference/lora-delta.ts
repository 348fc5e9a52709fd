import type { LoraDelta } from "../../backend/ops/lora-delta.js";
import { f32 } from "./memory.js";

export const loraDelta: LoraDelta = (outTensor, xTensor, aTensor, bTensor, scale) => {
  const out = f32(outTensor); // [T, N]
  const x = f32(xTensor); //     [T, K]
  const a = f32(aTensor); //     [r, K]
  const b = f32(bTensor); //     [N, r]
  const [rows = 0, width = 0] = xTensor.shape;
  const [outWidth = 0, rank = 0] = bTensor.shape;
  for (let t = 0; t < rows; t++) {
    const inner = new Float64Array(rank); // A x
    for (let i = 0; i < rank; i++) {
      for (let k = 0; k < width; k++) inner[i]! += a[i * width + k]! * x[t * width + k]!;
    }
    for (let n = 0; n < outWidth; n++) {
      let sum = 0;
      for (let i = 0; i < rank; i++) sum += b[n * rank + i]! * inner[i]!;
      out[t * outWidth + n]! += scale * sum;
    }
  }
};
