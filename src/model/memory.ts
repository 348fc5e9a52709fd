import { type KvDtype, pageLayerBytes } from "../backend/kv.js";
import type { TensorInfo } from "../format/tensor-info.js";
import type { GemmaConfig } from "./config.js";
import { kvLayout, pagesPerSequence } from "./kv-layout.js";

export interface MemoryOptions {
  /** The tensors that are loaded, e.g. from matchTensors. */
  readonly tensors: Iterable<{ readonly info: Pick<TensorInfo, "sizeBytes"> }>;
  readonly contextLength: number;
  readonly kvDtype: KvDtype;
  /** Sequences that have a full context at the same time. Default: 1. */
  readonly sequences?: number;
  /** Rows of the largest step. Default: 512. */
  readonly stepRows?: number;
  /** Rows of a step whose logits are wanted. Default: 1. */
  readonly outputRows?: number;
}

export interface MemoryEstimate {
  /** Stored size; backends pack matrices into about the same. */
  readonly weightsBytes: number;
  readonly kvBytes: number;
  readonly scratchBytes: number;
  readonly totalBytes: number;
}

/** About how much memory running a model takes, before anything is allocated. */
export function estimateMemory(config: GemmaConfig, options: MemoryOptions): MemoryEstimate {
  const { sequences = 1, stepRows = 512, outputRows = 1 } = options;
  let weightsBytes = 0;
  for (const { info } of options.tensors) weightsBytes += info.sizeBytes;

  const pages = pagesPerSequence(config, options.contextLength, stepRows).map((count) => count * sequences);
  const layout = kvLayout(config, options.kvDtype, pages);
  const pageBytes = pageLayerBytes(layout);
  const kvBytes = layout.layerGroups.reduce((sum, group) => sum + pages[group]! * pageBytes, 0);

  const scratchBytes = 4 * (stepRows * scratchWidth(config) + outputRows * (config.hiddenSize + config.vocabSize));
  return { weightsBytes, kvBytes, scratchBytes, totalBytes: weightsBytes + kvBytes + scratchBytes };
}

/** Values a row of a step takes: x, h; q, attn; k, v; gate, up. */
function scratchWidth(c: GemmaConfig): number {
  const qWidth = c.numAttentionHeads * c.headDim;
  const kvWidth = c.numKeyValueHeads * c.headDim;
  return 2 * (c.hiddenSize + qWidth + kvWidth + c.intermediateSize);
}
