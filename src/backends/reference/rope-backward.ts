import type { RopeBackward } from "../../backend/ops/rope-backward.js";
import { i32, makeTensor } from "./memory.js";
import { rope } from "./rope.js";

export const ropeBackward: RopeBackward = (dx, positions, options) => {
  const back = makeTensor("i32", positions.shape);
  i32(back).set(i32(positions).map((position) => -position));
  rope(dx, back, options);
};
