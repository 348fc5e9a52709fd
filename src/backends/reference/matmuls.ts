import type { Matmul } from "../../backend/ops/matmul.js";
import type { Matmuls } from "../../backend/ops/matmuls.js";

export function matmuls(matmul: Matmul): Matmuls {
  return (outs, x, weights) => {
    for (const [i, out] of outs.entries()) matmul(out, x, weights[i]!);
  };
}
