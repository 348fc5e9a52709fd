import type { EmbedBackward } from "../../backend/ops/embed-backward.js";
import { f32, i32 } from "./memory.js";

export const embedBackward: EmbedBackward = (dTableTensor, dOutTensor, idsTensor, scale) => {
  const dTable = f32(dTableTensor); // [V, D]
  const dOut = f32(dOutTensor); //     [T, D]
  const [vocabulary = 0, width = 0] = dTableTensor.shape;
  for (const [t, id] of i32(idsTensor).entries()) {
    if (id < 0 || id >= vocabulary) continue;
    for (let d = 0; d < width; d++) dTable[id * width + d]! += dOut[t * width + d]! * scale;
  }
};
