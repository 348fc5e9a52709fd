import type { GatherRows } from "../../backend/ops/gather-rows.js";
import { f32, i32 } from "./memory.js";

export const gatherRows: GatherRows = (outTensor, xTensor, rowsTensor) => {
  const out = f32(outTensor); //   [R, D]
  const x = f32(xTensor); //       [T, D]
  const rows = i32(rowsTensor); // [R]
  const [count = 0, width = 0] = xTensor.shape;
  for (const [r, row] of rows.entries()) {
    const target = out.subarray(r * width, (r + 1) * width);
    if (row >= 0 && row < count) target.set(x.subarray(row * width, (row + 1) * width));
    else target.fill(0);
  }
};
