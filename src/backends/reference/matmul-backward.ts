import type { MatmulBackward } from "../../backend/ops/matmul-backward.js";
import { f32, own, ReferenceWeight } from "./memory.js";

export const matmulBackward: MatmulBackward = (dxTensor, dOutTensor, weight, add) => {
  const dx = f32(dxTensor); //     [T, K]
  const dOut = f32(dOutTensor); // [T, N]
  const w = own(weight, ReferenceWeight).data; // [N, K]
  const [outWidth, width] = weight.shape;
  for (let t = 0; t < dOutTensor.shape[0]!; t++) {
    const sums = new Float64Array(width);
    for (let n = 0; n < outWidth; n++) {
      const factor = dOut[t * outWidth + n]!;
      for (let k = 0; k < width; k++) sums[k]! += factor * w[n * width + k]!;
    }
    for (let k = 0; k < width; k++) dx[t * width + k] = (add ? dx[t * width + k]! : 0) + sums[k]!;
  }
};
