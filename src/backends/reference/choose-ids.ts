import type { Activations } from "../../backend/backend.js";
import type { ChooseIds } from "../../backend/ops/choose-ids.js";
import { matmul } from "./matmul.js";
import { makeTensor } from "./memory.js";
import { sample } from "./sample.js";
import { softCap } from "./soft-cap.js";

export function chooseIds(activations: Activations): ChooseIds {
  const product = matmul(activations);
  return (out, x, head, cap, rows) => {
    const logits = makeTensor("f32", [rows.length, head.shape[0]]);
    product(logits, x, head);
    if (cap !== null) softCap(logits, cap);
    sample(out, logits, rows);
  };
}
