import { seededRng, uniformAt } from "../base/rng.js";
import type { GemmaConfig } from "./config.js";
import { type ExpectedTensor, expectedTensors } from "./tensors.js";

/** Of the embedding, which is the head, too: a new model's logits are near zero. */
const EMBEDDING_STD = 0.02;

/** A tensor of a new model, by its Hugging Face name without the prefix of the text tower. */
export interface InitialTensor extends ExpectedTensor {
  /** Its first values, made anew by each call. Norm weights are offset from one. */
  readonly values: () => Float32Array;
}

/**
 * The weights of a model that has learned nothing: matrices [out, in] are normal with standard deviation 1/sqrt(in), the
 * embedding with 0.02, norms scale by one. What is added to the residual stream, twice a layer, is scaled by
 * 1/sqrt(2 · layers), so that its sum has the size of one: by the norm behind it (Gemma 2 and 3), which would undo a scale
 * of the matrix, or else in the matrix (Gemma 1). Each tensor depends on the seed and its place alone.
 *
 * @param seed integer in 0..2^53-1
 */
export function initialWeights(config: GemmaConfig, seed: number): readonly InitialTensor[] {
  const residual = 1 / Math.sqrt(2 * config.numHiddenLayers);
  return expectedTensors(config, "hf").map((tensor, place) => ({
    ...tensor,
    values: () => {
      const { name, shape } = tensor;
      const [rows, width] = shape as [number, number | undefined];
      if (width === undefined) {
        const isBehind = name === "postAttnNorm" || name === "postFfnNorm";
        return new Float32Array(rows).fill(isBehind ? residual - 1 : 0);
      }
      const scale = !config.postNorms && (name === "wo" || name === "wDown") ? residual : 1;
      const std = name === "embedding" ? EMBEDDING_STD : scale / Math.sqrt(width);
      const rng = seededRng(Math.floor(uniformAt(seed, place) * 2 ** 32));
      return Float32Array.from({ length: rows * width }, () => std * rng.normal());
    },
  }));
}
