import type { GatherRowsBackward } from "../../backend/ops/gather-rows-backward.js";
import { f32, i32 } from "./memory.js";

export const gatherRowsBackward: GatherRowsBackward = (dxTensor, dOutTensor, rowsTensor) => {
  const dx = f32(dxTensor); //     [T, D]
  const dOut = f32(dOutTensor); // [R, D]
  const [count = 0, width = 0] = dxTensor.shape;
  for (const [r, row] of i32(rowsTensor).entries()) {
    if (row < 0 || row >= count) continue;
    for (let d = 0; d < width; d++) dx[row * width + d]! += dOut[r * width + d]!;
  }
};
