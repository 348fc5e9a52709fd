import type { MatmulWeightBackward } from "../../backend/ops/matmul-weight-backward.js";
import { f32 } from "./memory.js";

export const matmulWeightBackward: MatmulWeightBackward = (dWeightTensor, dOutTensor, xTensor) => {
  const dWeight = f32(dWeightTensor); // [N, K]
  const dOut = f32(dOutTensor); //       [T, N]
  const x = f32(xTensor); //             [T, K]
  const [outWidth = 0, width = 0] = dWeightTensor.shape;
  for (let n = 0; n < outWidth; n++) {
    const sums = new Float64Array(width);
    for (let t = 0; t < xTensor.shape[0]!; t++) {
      const factor = dOut[t * outWidth + n]!;
      for (let k = 0; k < width; k++) sums[k]! += factor * x[t * width + k]!;
    }
    for (let k = 0; k < width; k++) dWeight[n * width + k]! += sums[k]!;
  }
};
