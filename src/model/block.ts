import type { Backend } from "../backend/backend.js";
import type { KvCache, StepPlan } from "../backend/kv.js";
import type { Tensor, Weight } from "../backend/tensor.js";
import type { LayerLora, Projection } from "./adapter.js";
import type { GemmaConfig } from "./config.js";

// T rows, D model width, N query heads, K key/value heads, H head width, F FFN width

export interface BlockWeights {
  readonly attnNorm: Tensor; //            [D]
  readonly wq: Weight; //                  [N*H, D]
  readonly wk: Weight; //                  [K*H, D]
  readonly wv: Weight; //                  [K*H, D]
  readonly qNorm: Tensor | null; //        [H], Gemma 3
  readonly kNorm: Tensor | null; //        [H], Gemma 3
  readonly wo: Weight; //                  [D, N*H]
  readonly postAttnNorm: Tensor | null; // [D], Gemma 2 and 3
  readonly ffnNorm: Tensor; //             [D]
  readonly wGate: Weight; //               [F, D]
  readonly wUp: Weight; //                 [F, D]
  readonly wDown: Weight; //               [D, F]
  readonly postFfnNorm: Tensor | null; //  [D], Gemma 2 and 3
}

/** Scratch of one step, T rows each: views on memory that is allocated once (scratch.ts). */
export interface BlockScratch {
  readonly h: Tensor; //     [T, D]
  readonly q: Tensor; //     [T, N*H]
  readonly qHeads: Tensor; // [T*N, H], the memory of q
  readonly k: Tensor; //     [T, K*H]
  readonly kHeads: Tensor; // [T*K, H], the memory of k
  readonly v: Tensor; //     [T, K*H]
  readonly attn: Tensor; //  [T, N*H]
  readonly gate: Tensor; //  [T, F]
  readonly up: Tensor; //    [T, F]
}

/** Runs decoder block `layer` on x [T, D] in place, writing its keys and values to the cache. */
export function block(
  be: Backend,
  c: GemmaConfig,
  w: BlockWeights,
  s: BlockScratch,
  cache: KvCache,
  layer: number,
  plan: StepPlan,
  lora: readonly LayerLora[],
  x: Tensor,
): void {
  const sliding = c.layerTypes[layer] === "sliding";
  const rope = {
    headDim: c.headDim,
    theta: sliding ? c.ropeLocalTheta : c.ropeTheta,
    scalingFactor: sliding ? 1 : c.ropeScalingFactor,
  };
  const project = (out: Tensor, input: Tensor, weight: Weight, name: Projection) => {
    be.matmul(out, input, weight);
    for (const part of lora) part.apply(be, name, out, input); // each on its own rows
  };

  be.rmsNorm(s.h, x, w.attnNorm, c.rmsNormEps); //          h    [T, D]
  be.matmuls([s.q, s.k, s.v], s.h, [w.wq, w.wk, w.wv]); //  q    [T, N*H], k and v [T, K*H]
  for (const part of lora) {
    part.apply(be, "q", s.q, s.h);
    part.apply(be, "k", s.k, s.h);
    part.apply(be, "v", s.v, s.h);
  }
  if (w.qNorm) be.rmsNorm(s.qHeads, s.qHeads, w.qNorm, c.rmsNormEps); // per head [T*N, H]
  if (w.kNorm) be.rmsNorm(s.kHeads, s.kHeads, w.kNorm, c.rmsNormEps); // per head [T*K, H]
  be.rope(s.q, plan.positions, rope);
  be.rope(s.k, plan.positions, rope);
  be.writeKv(cache, layer, s.k, s.v, plan);
  be.attention(s.attn, s.q, cache, layer, plan, {
    scale: c.queryPreAttnScalar ** -0.5,
    softCap: c.attnLogitSoftcapping,
    window: sliding ? c.slidingWindow : null,
  });
  project(s.h, s.attn, w.wo, "o"); //                       h    [T, D]
  if (w.postAttnNorm) be.rmsNorm(s.h, s.h, w.postAttnNorm, c.rmsNormEps);
  be.add(x, x, s.h); //                                     x += attention

  be.rmsNorm(s.h, x, w.ffnNorm, c.rmsNormEps); //           h    [T, D]
  if (lora.length === 0) {
    be.gatedMatmul(s.gate, s.h, w.wGate, w.wUp); //         gate [T, F] = gelu_tanh(h wGateᵀ) * h wUpᵀ
  } else {
    project(s.gate, s.h, w.wGate, "gate"); //               the same in steps, each with its updates
    project(s.up, s.h, w.wUp, "up");
    be.geglu(s.gate, s.gate, s.up);
  }
  project(s.h, s.gate, w.wDown, "down"); //                 h    [T, D]
  if (w.postFfnNorm) be.rmsNorm(s.h, s.h, w.postFfnNorm, c.rmsNormEps);
  be.add(x, x, s.h); //                                     x += ffn
}
