import type { WriteKv } from "../../backend/ops/write-kv.js";
import { f32, i32, own, ReferenceKvCache, roundToKv } from "./memory.js";

export const writeKv: WriteKv = (cacheHandle, layer, kTensor, vTensor, plan) => {
  const cache = own(cacheHandle, ReferenceKvCache);
  const { dtype, kvHeads, headDim } = cache.layout;
  const keys = cache.keys[layer]!;
  const values = cache.values[layer]!;
  const k = f32(kTensor); // [T, K*H]
  const v = f32(vTensor); // [T, K*H]
  const positions = i32(plan.positions);
  const sequences = i32(plan.sequences);
  for (const [t, position] of positions.entries()) {
    const row = cache.row(layer, plan, sequences[t]!, position);
    if (row < 0) continue;
    for (let head = 0; head < kvHeads; head++) {
      const from = (t * kvHeads + head) * headDim;
      const to = (row * kvHeads + head) * headDim;
      keys.set(roundToKv(dtype, k.subarray(from, from + headDim)), to);
      values.set(roundToKv(dtype, v.subarray(from, from + headDim)), to);
    }
  }
};
