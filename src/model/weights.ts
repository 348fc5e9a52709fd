import type { Backend } from "../backend/backend.js";
import type { StoredWeight, Tensor, Weight } from "../backend/tensor.js";
import { elementCount } from "../backend/tensor.js";
import { dequantise } from "../format/dequantise.js";
import type { BlockWeights } from "./block.js";
import type { GemmaConfig } from "./config.js";
import type { GemmaWeights } from "./gemma.js";
import type { MatchedTensor } from "./match.js";
import type { LayerTensorName, ModelTensorName, Naming } from "./tensors.js";

export interface LoadOptions {
  readonly naming: Naming;
  /** Packs the head so that steps whose rows look at their most likely ids alone can do with a part of it. */
  readonly screenHead?: boolean;
  /** Called once when all matrices are handed over: what the caller can do while a backend packs them. */
  readonly meanwhile?: () => void;
  /** Called when a tensor is packed (of a file: when all are handed over), with the stored bytes so far and in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Looked at before each tensor; what was loaded until then is freed. */
  readonly signal?: AbortSignal;
}

const BREATH_MS = 50;
const BUFFER_BYTES = 1 << 20; // what a backend reads at once; it stays in a core's cache until it is packed

/**
 * Gives the weights that matchTensors found to the backend, which packs the matrices. Norm weights become f32, offset
 * from one: GGUF stores the sum, so the one is taken off again.
 *
 * Runs in the engine's worker; it lets other tasks run every 50 ms, between two tensors.
 *
 * @throws ERR_OUT_OF_MEMORY, ERR_TRUNCATED, ERR_IO; what `meanwhile` throws; the reason of `signal` when it aborts
 */
export async function loadWeights(
  be: Backend,
  config: GemmaConfig,
  tensors: readonly MatchedTensor[],
  options: LoadOptions,
): Promise<GemmaWeights> {
  const totalBytes = tensors.reduce((sum, { info }) => sum + info.sizeBytes, 0);
  const model: Partial<Record<ModelTensorName, Tensor | Weight>> = {};
  const layers = Array.from(
    { length: config.numHiddenLayers },
    (): Partial<Record<LayerTensorName, Tensor | Weight>> => ({}),
  );
  const made: (Tensor | Weight)[] = [];
  const inFiles: { readonly weight: Weight; readonly sizeBytes: number }[] = []; // packed in the background, perhaps
  const buffer = new Uint8Array(BUFFER_BYTES);
  let doneBytes = 0;
  let pausedAt = performance.now();
  const finish = async (sizeBytes: number) => {
    doneBytes += sizeBytes;
    options.onProgress?.(doneBytes, totalBytes);
    if (performance.now() - pausedAt > BREATH_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      pausedAt = performance.now();
    }
  };
  try {
    for (const stored of tensors) {
      options.signal?.throwIfAborted();
      const screened = options.screenHead === true && stored.layer === null; // the one matrix outside the layers
      const isMatrix = stored.shape.length === 2;
      const value = isMatrix ? be.weight(storedWeight(stored, buffer), { screened }) : norm(be, stored, options.naming);
      made.push(value);
      const fields: Partial<Record<string, Tensor | Weight>> = stored.layer === null ? model : layers[stored.layer]!;
      fields[stored.name] = value;
      const { sizeBytes, source } = stored.info;
      if (isMatrix && source.file !== undefined) inFiles.push({ weight: value as Weight, sizeBytes });
      else await finish(sizeBytes);
    }
    options.meanwhile?.();
    for (const { weight, sizeBytes } of inFiles) {
      options.signal?.throwIfAborted();
      await be.packed(weight);
      await finish(sizeBytes);
    }
  } catch (error) {
    for (const value of made) be.free(value);
    throw error;
  }
  // matchTensors returned all that the generation has; the norms that it has not are null.
  const absent = { qNorm: null, kNorm: null, postAttnNorm: null, postFfnNorm: null };
  return {
    embedding: model.embedding as Weight,
    finalNorm: model.finalNorm as Tensor,
    layers: layers.map((layer) => ({ ...absent, ...layer }) as BlockWeights),
  };
}

/** A matrix as the backend reads it, in slices. Slices share `buffer`: fresh memory for each costs more than reading. */
function storedWeight({ info, dtype, shape }: MatchedTensor, buffer: Uint8Array): StoredWeight {
  const { source } = info;
  return {
    name: info.name,
    dtype,
    shape: [shape[0]!, shape[1]!],
    read: (offset, length) => source.read(info.offset + offset, length, buffer),
    ...(source.file ? { file: { ...source.file, fileSize: source.sizeBytes, offset: info.offset } } : {}),
  };
}

function norm(be: Backend, stored: MatchedTensor, naming: Naming): Tensor {
  const values = readFloats(stored);
  if (naming === "gguf") for (let i = 0; i < values.length; i++) values[i]! -= 1;
  const tensor = be.tensor("f32", stored.shape);
  be.write(tensor, values);
  return tensor;
}

/** The values of a small tensor, as f32. */
export function readFloats({ info, dtype }: Pick<MatchedTensor, "info" | "dtype">): Float32Array {
  const values = new Float32Array(elementCount(info.shape));
  dequantise(dtype, info.source.read(info.offset, info.sizeBytes), values);
  return values;
}

/** Frees every weight. */
export function freeWeights(be: Backend, weights: GemmaWeights): void {
  be.free(weights.embedding);
  be.free(weights.finalNorm);
  for (const layer of weights.layers) for (const value of Object.values(layer)) if (value !== null) be.free(value);
}
