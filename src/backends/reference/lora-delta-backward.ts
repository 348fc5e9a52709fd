import type { LoraDeltaBackward } from "../../backend/ops/lora-delta-backward.js";
import { f32 } from "./memory.js";

export const loraDeltaBackward: LoraDeltaBackward = (out, dOutTensor, xTensor, aTensor, bTensor, scale, add) => {
  const dOut = f32(dOutTensor); // [T, N]
  const x = f32(xTensor); //       [T, K]
  const a = f32(aTensor); //       [r, K]
  const b = f32(bTensor); //       [N, r]
  const [rows = 0, width = 0] = xTensor.shape;
  const [outWidth = 0, rank = 0] = bTensor.shape;
  const da = new Float64Array(rank * width);
  const db = new Float64Array(outWidth * rank);
  for (let t = 0; t < rows; t++) {
    const dx = new Float64Array(width);
    for (let i = 0; i < rank; i++) {
      let u = 0; //     scale · (Bᵀ dOut)[i]
      let inner = 0; // (A x)[i]
      for (let n = 0; n < outWidth; n++) u += scale * b[n * rank + i]! * dOut[t * outWidth + n]!;
      for (let k = 0; k < width; k++) inner += a[i * width + k]! * x[t * width + k]!;
      for (let k = 0; k < width; k++) {
        da[i * width + k]! += u * x[t * width + k]!;
        dx[k]! += u * a[i * width + k]!;
      }
      for (let n = 0; n < outWidth; n++) db[n * rank + i]! += scale * dOut[t * outWidth + n]! * inner;
    }
    if (out.dx === null) continue;
    const target = f32(out.dx).subarray(t * width, (t + 1) * width);
    for (const [k, value] of dx.entries()) target[k] = (add ? target[k]! : 0) + value;
  }
  for (const [i, value] of da.entries()) f32(out.da)[i]! += value;
  for (const [i, value] of db.entries()) f32(out.db)[i]! += value;
};
