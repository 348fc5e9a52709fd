import type { GatedMatmul } from "../../backend/ops/gated-matmul.js";
import type { Matmul } from "../../backend/ops/matmul.js";
import { geglu } from "./geglu.js";
import { makeTensor } from "./memory.js";

export function gatedMatmul(matmul: Matmul): GatedMatmul {
  return (out, x, wGate, wUp) => {
    const up = makeTensor("f32", out.shape);
    matmul(out, x, wGate);
    matmul(up, x, wUp);
    geglu(out, out, up);
  };
}
