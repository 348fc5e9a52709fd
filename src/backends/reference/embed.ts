import type { Embed } from "../../backend/ops/embed.js";
import { f32, i32, own, ReferenceWeight } from "./memory.js";

export const embed: Embed = (outTensor, table, idsTensor, scale) => {
  const out = f32(outTensor); // [T, D]
  const ids = i32(idsTensor); // [T]
  const weight = own(table, ReferenceWeight).data; // [V, D]
  const [vocabulary, width] = table.shape;
  for (const [t, id] of ids.entries()) {
    const known = id >= 0 && id < vocabulary;
    for (let d = 0; d < width; d++) out[t * width + d] = known ? weight[id * width + d]! * scale : 0;
  }
};
