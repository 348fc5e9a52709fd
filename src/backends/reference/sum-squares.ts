import type { SumSquares } from "../../backend/ops/sum-squares.js";
import { f32 } from "./memory.js";

export const sumSquares: SumSquares = (out, x) => {
  let sum = 0;
  for (const value of f32(x)) sum += value ** 2;
  f32(out)[0] = sum;
};
