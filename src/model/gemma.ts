import type { Backend } from "../backend/backend.js";
import type { KvCache, StepPlan } from "../backend/kv.js";
import type { SampleRow } from "../backend/ops/sample.js";
import type { Tensor, Weight } from "../backend/tensor.js";
import type { LayerLora } from "./adapter.js";
import { type BlockScratch, type BlockWeights, block } from "./block.js";
import type { GemmaConfig } from "./config.js";

// T rows, R rows with logits, D model width, V vocabulary

export interface GemmaWeights {
  readonly embedding: Weight; // [V, D], also the head (tied)
  readonly layers: readonly BlockWeights[];
  readonly finalNorm: Tensor; // [D]
}

export interface GemmaScratch extends BlockScratch {
  readonly x: Tensor; //        [T, D], the residual stream
  readonly last: Tensor; //     [R, D], final hidden states of the output rows
  readonly logits: Tensor; //   [R, V]
}

/** An adapter's part in a step: its low-rank pairs by layer, bound to the rows that use it. */
export type StepLora = readonly (readonly LayerLora[])[]; // [layer][adapter]

/** Runs one step: hidden states of all T rows into scratch.x, final-norm rows of plan.outputRows into scratch.last. */
export function forward(
  be: Backend,
  c: GemmaConfig,
  w: GemmaWeights,
  s: GemmaScratch,
  cache: KvCache,
  plan: StepPlan,
  lora: StepLora,
  onLayer?: (layer: number) => void,
): void {
  be.embed(s.x, w.embedding, plan.ids, Math.sqrt(c.hiddenSize)); // x [T, D]; bf16 references round sqrt(D) to bf16
  for (let layer = 0; layer < c.numHiddenLayers; layer++) {
    block(be, c, w.layers[layer]!, s, cache, layer, plan, lora[layer] ?? [], s.x);
    onLayer?.(layer); // abort is looked at here
  }
  be.gatherRows(s.last, s.x, plan.outputRows); //               last   [R, D]
  be.rmsNorm(s.last, s.last, w.finalNorm, c.rmsNormEps);
}

/** Logits of the rows in scratch.last, [R, V]. */
export function head(be: Backend, c: GemmaConfig, w: GemmaWeights, s: GemmaScratch): void {
  be.matmul(s.logits, s.last, w.embedding); //                  logits [R, V]
  if (c.finalLogitSoftcapping !== null) be.softCap(s.logits, c.finalLogitSoftcapping);
}

/** Ids for the rows in scratch.last, where they all look at their most likely ids alone: no logits are made. */
export function chooseIds(
  be: Backend,
  c: GemmaConfig,
  w: GemmaWeights,
  s: GemmaScratch,
  out: Tensor,
  rows: readonly SampleRow[],
): void {
  be.chooseIds(out, s.last, w.embedding, c.finalLogitSoftcapping, rows); // out [R]
}
