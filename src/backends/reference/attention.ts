import type { Attention } from "../../backend/ops/attention.js";
import { f32, i32, own, ReferenceKvCache } from "./memory.js";

export const attention: Attention = (outTensor, qTensor, cacheHandle, layer, plan, options) => {
  const cache = own(cacheHandle, ReferenceKvCache);
  const { kvHeads, headDim } = cache.layout;
  const keys = cache.keys[layer]!; //     [rows of the cache, K, H]
  const values = cache.values[layer]!; // [rows of the cache, K, H]
  const out = f32(outTensor); //          [T, N*H]
  const q = f32(qTensor); //              [T, N*H]
  const positions = i32(plan.positions);
  const sequences = i32(plan.sequences);
  const heads = qTensor.shape[1]! / headDim;
  const headsPerKv = heads / kvHeads;

  out.fill(0);
  for (const [t, position] of positions.entries()) {
    const rows: number[] = []; // of the keys that this row sees
    const first = options.window === null ? 0 : Math.max(0, position - options.window + 1);
    for (let j = first; j <= position; j++) {
      const row = cache.row(layer, plan, sequences[t]!, j);
      if (row >= 0) rows.push(row);
    }
    for (let n = 0; n < heads; n++) {
      const at = (t * heads + n) * headDim; // of q and out
      const kvHead = Math.floor(n / headsPerKv);
      const offsets = rows.map((row) => (row * kvHeads + kvHead) * headDim);
      const scores = offsets.map((offset) => {
        let dot = 0;
        for (let h = 0; h < headDim; h++) dot += q[at + h]! * keys[offset + h]!;
        const score = dot * options.scale;
        return options.softCap === null ? score : Math.tanh(score / options.softCap) * options.softCap;
      });
      const max = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const weights = scores.map((score) => Math.exp(score - max));
      const total = weights.reduce((a, b) => a + b, 0);
      for (let h = 0; h < headDim && rows.length > 0; h++) {
        let sum = 0;
        for (const [j, offset] of offsets.entries()) sum += weights[j]! * values[offset + h]!;
        out[at + h] = sum / total;
      }
    }
  }
};
