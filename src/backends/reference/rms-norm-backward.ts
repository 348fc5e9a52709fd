import type { RmsNormBackward } from "../../backend/ops/rms-norm-backward.js";
import { f32 } from "./memory.js";

export const rmsNormBackward: RmsNormBackward = (dxTensor, dWeight, dOutTensor, xTensor, weightTensor, eps, add) => {
  const dx = f32(dxTensor); //         [T, D]
  const dOut = f32(dOutTensor); //     [T, D]
  const x = f32(xTensor); //           [T, D]
  const weight = f32(weightTensor); // [D]
  const width = weight.length;
  const dw = new Float64Array(width);
  for (let start = 0; start < x.length; start += width) {
    let squares = 0;
    let dot = 0; // of g and x
    for (let d = 0; d < width; d++) {
      squares += x[start + d]! ** 2;
      dot += dOut[start + d]! * (1 + weight[d]!) * x[start + d]!;
    }
    const factor = 1 / Math.sqrt(squares / width + eps);
    const along = (factor ** 2 * dot) / width;
    for (let d = 0; d < width; d++) {
      const g = dOut[start + d]! * (1 + weight[d]!); // offset from 1
      dw[d]! += dOut[start + d]! * x[start + d]! * factor;
      dx[start + d] = (add ? dx[start + d]! : 0) + factor * (g - x[start + d]! * along);
    }
  }
  if (dWeight !== null) for (const [d, value] of dw.entries()) f32(dWeight)[d]! += value;
};
