import type { Rope } from "../../backend/ops/rope.js";
import { f32, i32 } from "./memory.js";

export const rope: Rope = (xTensor, positionsTensor, { headDim, theta, scalingFactor }) => {
  const x = f32(xTensor); //                 [T, heads * H]
  const positions = i32(positionsTensor); // [T]
  const width = xTensor.shape[1]!;
  const half = headDim / 2;
  for (const [t, position] of positions.entries()) {
    for (let head = t * width; head < (t + 1) * width; head += headDim) {
      for (let i = 0; i < half; i++) {
        const angle = (position / scalingFactor) * theta ** ((-2 * i) / headDim);
        const first = x[head + i]!; // split halves: i turns with i + H/2
        const second = x[head + i + half]!;
        x[head + i] = first * Math.cos(angle) - second * Math.sin(angle);
        x[head + i + half] = second * Math.cos(angle) + first * Math.sin(angle);
      }
    }
  }
};
