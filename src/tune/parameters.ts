import type { Backend } from "../backend/backend.js";
import type { Tensor, Weight } from "../backend/tensor.js";
import { type Adapter, PROJECTIONS } from "../model/adapter.js";
import { peftModule } from "../model/adapter-peft.js";
import type { BlockWeights } from "../model/block.js";
import type { GemmaConfig } from "../model/config.js";
import type { GemmaWeights } from "../model/gemma.js";
import { expectedTensors } from "../model/tensors.js";

/** What an optimizer changes. */
export interface Parameter {
  /** In the base's own names, e.g. `layers.0.self_attn.q_proj.lora_A.weight`. */
  readonly name: string;
  readonly value: Tensor; //    f32
  readonly gradient: Tensor; // f32 of the same shape
  /** What the forward pass multiplies by, to be packed anew from `value`; null: it reads `value` itself. */
  readonly weight: Weight | null;
}

/** The pairs of an adapter, with gradients of zero. @throws ERR_OUT_OF_MEMORY */
export function loraParameters(be: Backend, adapter: Adapter): Parameter[] {
  const parameters: Parameter[] = [];
  const push = (name: string, value: Tensor) =>
    parameters.push({ name, value, gradient: be.tensor("f32", value.shape), weight: null });
  for (const [layer, pairs] of adapter.layers.entries()) {
    for (const projection of PROJECTIONS) {
      const pair = pairs.get(projection);
      if (pair === undefined) continue;
      const name = `layers.${layer}.${peftModule(projection)}`;
      push(`${name}.lora_A.weight`, pair.a);
      push(`${name}.lora_B.weight`, pair.b);
    }
  }
  return parameters;
}

export interface FullModel {
  /** The same model; matrices that were stored as anything but F32 are packed from f32 values now. */
  readonly weights: GemmaWeights;
  readonly parameters: Parameter[];
}

/**
 * Every weight of a model as a parameter. It takes 12 bytes a weight (the value, its packed form and its gradient), and an
 * optimizer 8 more. Matrices that are not F32 are freed once they are replaced.
 * @throws ERR_OUT_OF_MEMORY
 */
export function fullParameters(be: Backend, config: GemmaConfig, weights: GemmaWeights): FullModel {
  const model: Record<string, Tensor | Weight> = { embedding: weights.embedding, finalNorm: weights.finalNorm };
  const layers = weights.layers.map((layer) => ({ ...layer }) as Record<string, Tensor | Weight | null>);
  const parameters: Parameter[] = [];
  for (const { name, layer, storedName } of expectedTensors(config, "hf")) {
    const fields = layer === null ? model : layers[layer]!;
    const old = fields[name]!;
    if (!("sizeBytes" in old)) {
      parameters.push({ name: storedName, value: old, gradient: be.tensor("f32", old.shape), weight: null });
      continue;
    }
    const value = dequantised(be, old);
    const weight = old.dtype === "F32" ? old : packed(be, storedName, value, old.shape);
    if (weight !== old) be.free(old);
    fields[name] = weight;
    parameters.push({ name: storedName, value, gradient: be.tensor("f32", old.shape), weight });
  }
  const { embedding, finalNorm } = model;
  return {
    weights: {
      embedding: embedding as Weight,
      finalNorm: finalNorm as Tensor,
      layers: layers as unknown as BlockWeights[],
    },
    parameters,
  };
}

/** The values of a packed matrix [N, K]: rows of an embedding table. */
function dequantised(be: Backend, weight: Weight): Tensor {
  const [rows] = weight.shape;
  const value = be.tensor("f32", weight.shape);
  const ids = be.tensor("i32", [rows]);
  be.write(
    ids,
    Int32Array.from({ length: rows }, (_, n) => n),
  );
  be.embed(value, weight, ids, 1);
  be.free(ids);
  return value;
}

/** A matrix stored as F32, packed from values that are on the backend: they do not pass through JavaScript. */
function packed(be: Backend, name: string, value: Tensor, shape: readonly [number, number]): Weight {
  const read = (_: number, length: number) => new Uint8Array(length);
  const weight = be.weight({ name, dtype: "F32", shape, read });
  be.packWeight(weight, value);
  return weight;
}

export function zeroGradients(be: Backend, parameters: readonly Parameter[]): void {
  for (const { gradient } of parameters) be.scale(gradient, gradient, 0);
}
