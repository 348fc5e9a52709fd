import type { Backend } from "../backend/backend.js";
import type { KvCache, RowPlan, StepPlan } from "../backend/kv.js";
import type { RopeOptions } from "../backend/ops/rope.js";
import type { Tensor, Weight } from "../backend/tensor.js";
import type { LayerLora, Projection, StepLora } from "./adapter.js";
import type { GemmaConfig } from "./config.js";

// T rows, R output rows, D model width, N query heads, K key/value heads, H head width, F FFN width

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

/** Scratch of a block, T rows each (R of the last one's outputs): views on memory that is allocated once (scratch.ts). */
export interface BlockScratch {
  readonly x: Tensor; //     [T, D], the residual stream
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
  plan: RowPlan,
  lora: readonly LayerLora[],
): void {
  be.rmsNorm(s.h, s.x, w.attnNorm, c.rmsNormEps); //        h    [T, D]
  be.matmuls([s.q, s.k, s.v], s.h, [w.wq, w.wk, w.wv]); //  q    [T, N*H], k and v [T, K*H]
  for (const part of lora) {
    part.apply(be, "q", s.q, s.h); //                       each on its own rows
    part.apply(be, "k", s.k, s.h);
    part.apply(be, "v", s.v, s.h);
  }
  writeKv(be, c, w, s, cache, layer, plan);
  attend(be, c, w, s, cache, layer, plan, lora);
  feedForward(be, c, w, s, lora);
}

/**
 * The last block: nothing comes behind it that looks at other rows than the R output rows, so of all T rows it computes
 * keys and values alone. Of the output rows `out`.x becomes the same, bit for bit, as `block` would make of all.
 */
export function lastBlock(
  be: Backend,
  c: GemmaConfig,
  w: BlockWeights,
  s: BlockScratch,
  out: BlockScratch,
  cache: KvCache,
  layer: number,
  plan: StepPlan,
  lora: StepLora | null,
): void {
  be.rmsNorm(s.h, s.x, w.attnNorm, c.rmsNormEps); //        h    [T, D]
  be.matmuls([s.k, s.v], s.h, [w.wk, w.wv]); //             k, v [T, K*H]
  for (const part of lora?.layers[layer] ?? []) {
    part.apply(be, "k", s.k, s.h);
    part.apply(be, "v", s.v, s.h);
  }
  writeKv(be, c, w, s, cache, layer, plan);

  be.gatherRows(out.x, s.x, plan.outputRows); //            x    [R, D]
  be.rmsNorm(out.h, out.x, w.attnNorm, c.rmsNormEps); //    h    [R, D]
  const outputLora = lora?.outputs ?? [];
  project(be, out.q, out.h, w.wq, "q", outputLora); //      q    [R, N*H]
  attend(be, c, w, out, cache, layer, plan.outputs, outputLora);
  feedForward(be, c, w, out, outputLora);
}

/** Writes keys k and values v to the cache. */
function writeKv(
  be: Backend,
  c: GemmaConfig,
  w: BlockWeights,
  s: BlockScratch,
  cache: KvCache,
  layer: number,
  plan: RowPlan,
): void {
  if (w.kNorm) be.rmsNorm(s.kHeads, s.kHeads, w.kNorm, c.rmsNormEps); // per head [T*K, H]
  be.rope(s.k, plan.positions, ropeOf(c, layer));
  be.writeKv(cache, layer, s.k, s.v, plan);
}

/** x += attention of the queries q. */
function attend(
  be: Backend,
  c: GemmaConfig,
  w: BlockWeights,
  s: BlockScratch,
  cache: KvCache,
  layer: number,
  plan: RowPlan,
  lora: readonly LayerLora[],
): void {
  if (w.qNorm) be.rmsNorm(s.qHeads, s.qHeads, w.qNorm, c.rmsNormEps); // per head [T*N, H]
  be.rope(s.q, plan.positions, ropeOf(c, layer));
  be.attention(s.attn, s.q, cache, layer, plan, {
    scale: c.queryPreAttnScalar ** -0.5,
    softCap: c.attnLogitSoftcapping,
    window: isSliding(c, layer) ? c.slidingWindow : null,
  });
  project(be, s.h, s.attn, w.wo, "o", lora); //             h    [T, D]
  if (w.postAttnNorm) be.rmsNorm(s.h, s.h, w.postAttnNorm, c.rmsNormEps);
  be.add(s.x, s.x, s.h);
}

/** x += feed-forward network of x. */
function feedForward(be: Backend, c: GemmaConfig, w: BlockWeights, s: BlockScratch, lora: readonly LayerLora[]): void {
  be.rmsNorm(s.h, s.x, w.ffnNorm, c.rmsNormEps); //         h    [T, D]
  if (lora.length === 0) {
    be.gatedMatmul(s.gate, s.h, w.wGate, w.wUp); //         gate [T, F] = gelu_tanh(h wGateᵀ) * h wUpᵀ
  } else {
    project(be, s.gate, s.h, w.wGate, "gate", lora); //     the same in steps, each with its updates
    project(be, s.up, s.h, w.wUp, "up", lora);
    be.geglu(s.gate, s.gate, s.up);
  }
  project(be, s.h, s.gate, w.wDown, "down", lora); //       h    [T, D]
  if (w.postFfnNorm) be.rmsNorm(s.h, s.h, w.postFfnNorm, c.rmsNormEps);
  be.add(s.x, s.x, s.h);
}

function project(
  be: Backend,
  out: Tensor,
  x: Tensor,
  weight: Weight,
  name: Projection,
  lora: readonly LayerLora[],
): void {
  be.matmul(out, x, weight);
  for (const part of lora) part.apply(be, name, out, x);
}

function isSliding(c: GemmaConfig, layer: number): boolean {
  return c.layerTypes[layer] === "sliding";
}

function ropeOf(c: GemmaConfig, layer: number): RopeOptions {
  return isSliding(c, layer)
    ? { headDim: c.headDim, theta: c.ropeLocalTheta, scalingFactor: 1 }
    : { headDim: c.headDim, theta: c.ropeTheta, scalingFactor: c.ropeScalingFactor };
}
