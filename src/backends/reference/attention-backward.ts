import type { AttentionBackward } from "../../backend/ops/attention-backward.js";
import { f32, i32 } from "./memory.js";

export const attentionBackward: AttentionBackward = (out, dOutTensor, qTensor, kTensor, vTensor, queries, keys, o) => {
  const dOut = f32(dOutTensor); // [R, N*H]
  const q = f32(qTensor); //       [R, N*H]
  const k = f32(kTensor); //       [T, K*H]
  const v = f32(vTensor); //       [T, K*H]
  const { headDim } = o;
  const heads = qTensor.shape[1]! / headDim;
  const kvHeads = kTensor.shape[1]! / headDim;
  const dq = new Float64Array(q.length);
  const dk = new Float64Array(k.length);
  const dv = new Float64Array(v.length);
  const dot = (x: Float32Array, at: number, y: Float32Array, offset: number) => {
    let sum = 0;
    for (let h = 0; h < headDim; h++) sum += x[at + h]! * y[offset + h]!;
    return sum;
  };

  const [keyPositions, keySequences] = [i32(keys.positions), i32(keys.sequences)];
  for (const [r, position] of i32(queries.positions).entries()) {
    const seen = [...keyPositions.keys()].filter((t) => {
      const behind = position - keyPositions[t]!;
      return keySequences[t] === i32(queries.sequences)[r] && behind >= 0 && behind < (o.window ?? Infinity);
    });
    for (let n = 0; n < heads; n++) {
      const at = (r * heads + n) * headDim; // of q and dOut
      const kvHead = Math.floor((n * kvHeads) / heads);
      const offsets = seen.map((t) => (t * kvHeads + kvHead) * headDim);
      const capped = offsets.map((offset) => {
        const score = dot(q, at, k, offset) * o.scale;
        return o.softCap === null ? score : Math.tanh(score / o.softCap) * o.softCap;
      });
      const max = capped.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const exps = capped.map((score) => Math.exp(score - max));
      const total = exps.reduce((a, b) => a + b, 0);
      const p = exps.map((value) => value / total);
      const dp = offsets.map((offset) => dot(dOut, at, v, offset));
      const mean = p.reduce((sum, weight, j) => sum + weight * dp[j]!, 0);
      for (const [j, offset] of offsets.entries()) {
        const slope = o.softCap === null ? 1 : 1 - (capped[j]! / o.softCap) ** 2;
        const ds = p[j]! * (dp[j]! - mean) * slope * o.scale;
        for (let h = 0; h < headDim; h++) {
          dq[at + h]! += ds * k[offset + h]!;
          dk[offset + h]! += ds * q[at + h]!;
          dv[offset + h]! += p[j]! * dOut[at + h]!;
        }
      }
    }
  }
  f32(out.dq).set(dq);
  f32(out.dk).set(dk);
  f32(out.dv).set(dv);
};
