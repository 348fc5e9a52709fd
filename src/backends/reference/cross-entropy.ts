import type { Activations } from "../../backend/backend.js";
import type { CrossEntropy } from "../../backend/ops/cross-entropy.js";
import { factorsOf } from "./matmul.js";
import { f32, i32, own, ReferenceWeight } from "./memory.js";

/** A row at a time, so that one row's logits are all there ever is of them. */
export function crossEntropy(activations: Activations): CrossEntropy {
  return (out, xTensor, head, softCap, targetsTensor, weightsTensor) => {
    const losses = f32(out.losses); //      [R]
    const dxs = f32(out.dx); //             [R, D]
    const xs = f32(xTensor); //             [R, D]
    const w = own(head, ReferenceWeight).data; // [V, D]
    const weights = f32(weightsTensor); //  [R]
    const [vocabulary, width] = head.shape;
    const dHead = out.dHead && new Float64Array(vocabulary * width);
    dxs.fill(0);
    losses.fill(0);
    for (const [r, target] of i32(targetsTensor).entries()) {
      if (target < 0 || target >= vocabulary) continue;
      const x = xs.subarray(r * width, (r + 1) * width);
      const factors = factorsOf(activations, x, head);
      const logits = new Float64Array(vocabulary);
      for (let v = 0; v < vocabulary; v++) {
        let sum = 0;
        for (let d = 0; d < width; d++) sum += factors[d]! * w[v * width + d]!;
        logits[v] = softCap === null ? sum : Math.tanh(sum / softCap) * softCap;
      }
      const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0);
      losses[r] = Math.log(total) + max - logits[target]!;

      const dx = new Float64Array(width);
      for (let v = 0; v < vocabulary; v++) {
        const slope = softCap === null ? 1 : 1 - (logits[v]! / softCap) ** 2;
        const dLogit = weights[r]! * (Math.exp(logits[v]! - max) / total - (v === target ? 1 : 0)) * slope;
        for (let d = 0; d < width; d++) {
          dx[d]! += dLogit * w[v * width + d]!;
          if (dHead) dHead[v * width + d]! += dLogit * x[d]!;
        }
      }
      dxs.set(dx, r * width);
    }
    if (dHead) for (const [i, value] of dHead.entries()) f32(out.dHead!)[i]! += value;
  };
}
