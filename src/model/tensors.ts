import { GemmaError } from "../base/errors.js";
import type { GemmaConfig } from "./config.js";

/** Which container's names a checkpoint uses. GGUF also stores norm weights with the one added. */
export type Naming = "hf" | "gguf";

/** A dimension: D model width, Q = N*H query width, KV = K*H key/value width, H head width, F FFN width, V vocabulary. */
export type Dimension = "D" | "Q" | "KV" | "H" | "F" | "V";

/** One row of the tensor table. `%` in a name stands for the layer. */
export interface TensorSpec {
  /** The field of BlockWeights or GemmaWeights. */
  readonly name: string;
  readonly hf: string;
  readonly gguf: string;
  /** [out, in] for a matrix, one letter for a norm. */
  readonly shape: readonly Dimension[];
  readonly generations: readonly (1 | 2 | 3)[];
}

const ALL = [1, 2, 3] as const;
const POST_NORMS = [2, 3] as const;

/** Tensors that occur once. The head is the embedding. */
export const MODEL_TENSORS = [
  { name: "embedding", hf: "embed_tokens.weight", gguf: "token_embd.weight", shape: ["V", "D"], generations: ALL },
  { name: "finalNorm", hf: "norm.weight", gguf: "output_norm.weight", shape: ["D"], generations: ALL },
] as const satisfies readonly TensorSpec[];

const hf = (name: string) => `layers.%.${name}.weight`;
const gguf = (name: string) => `blk.%.${name}.weight`;

/**
 * Tensors of each layer. A trap: what Hugging Face calls post_attention_layernorm is the norm BEFORE the FFN in
 * Gemma 1, and the norm behind attention in Gemma 2 and 3.
 */
export const LAYER_TENSORS = [
  { name: "attnNorm", hf: hf("input_layernorm"), gguf: gguf("attn_norm"), shape: ["D"], generations: ALL },
  { name: "wq", hf: hf("self_attn.q_proj"), gguf: gguf("attn_q"), shape: ["Q", "D"], generations: ALL },
  { name: "wk", hf: hf("self_attn.k_proj"), gguf: gguf("attn_k"), shape: ["KV", "D"], generations: ALL },
  { name: "wv", hf: hf("self_attn.v_proj"), gguf: gguf("attn_v"), shape: ["KV", "D"], generations: ALL },
  { name: "qNorm", hf: hf("self_attn.q_norm"), gguf: gguf("attn_q_norm"), shape: ["H"], generations: [3] },
  { name: "kNorm", hf: hf("self_attn.k_norm"), gguf: gguf("attn_k_norm"), shape: ["H"], generations: [3] },
  { name: "wo", hf: hf("self_attn.o_proj"), gguf: gguf("attn_output"), shape: ["D", "Q"], generations: ALL },
  {
    name: "postAttnNorm",
    hf: hf("post_attention_layernorm"),
    gguf: gguf("post_attention_norm"),
    shape: ["D"],
    generations: POST_NORMS,
  },
  { name: "ffnNorm", hf: hf("post_attention_layernorm"), gguf: gguf("ffn_norm"), shape: ["D"], generations: [1] },
  {
    name: "ffnNorm",
    hf: hf("pre_feedforward_layernorm"),
    gguf: gguf("ffn_norm"),
    shape: ["D"],
    generations: POST_NORMS,
  },
  { name: "wGate", hf: hf("mlp.gate_proj"), gguf: gguf("ffn_gate"), shape: ["F", "D"], generations: ALL },
  { name: "wUp", hf: hf("mlp.up_proj"), gguf: gguf("ffn_up"), shape: ["F", "D"], generations: ALL },
  { name: "wDown", hf: hf("mlp.down_proj"), gguf: gguf("ffn_down"), shape: ["D", "F"], generations: ALL },
  {
    name: "postFfnNorm",
    hf: hf("post_feedforward_layernorm"),
    gguf: gguf("post_ffw_norm"),
    shape: ["D"],
    generations: POST_NORMS,
  },
] as const satisfies readonly TensorSpec[];

export type ModelTensorName = (typeof MODEL_TENSORS)[number]["name"];
export type LayerTensorName = (typeof LAYER_TENSORS)[number]["name"];

/** The sizes behind the letters. */
export function dimensions(c: GemmaConfig): Readonly<Record<Dimension, number>> {
  return {
    D: c.hiddenSize,
    Q: c.numAttentionHeads * c.headDim,
    KV: c.numKeyValueHeads * c.headDim,
    H: c.headDim,
    F: c.intermediateSize,
    V: c.vocabSize,
  };
}

/** A tensor that a checkpoint of a configuration must have. */
export interface ExpectedTensor {
  /** `embedding`, `finalNorm`, or a field of BlockWeights. */
  readonly name: ModelTensorName | LayerTensorName;
  /** null: not of a layer. */
  readonly layer: number | null;
  /** In the checkpoint; Hugging Face names come without the prefix of the text tower. */
  readonly storedName: string;
  readonly shape: readonly number[];
}

/** Every tensor that a checkpoint of `config` must have, in the order of the forward pass. */
export function expectedTensors(config: GemmaConfig, naming: Naming): readonly ExpectedTensor[] {
  const sizes = dimensions(config);
  const expected: ExpectedTensor[] = [];
  const push = (spec: TensorSpec & { readonly name: ExpectedTensor["name"] }, layer: number | null) => {
    if (!spec.generations.includes(config.generation)) return;
    const storedName = spec[naming].replace("%", String(layer));
    expected.push({ name: spec.name, layer, storedName, shape: spec.shape.map((letter) => sizes[letter]) });
  };
  push(MODEL_TENSORS[0], null);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    for (const spec of LAYER_TENSORS) push(spec, layer);
  }
  push(MODEL_TENSORS[1], null);
  return expected;
}

/** Where the text tower's names begin in Hugging Face checkpoints: text only, multimodal, multimodal since 4.52. */
export const HF_PREFIXES = ["model.", "language_model.model.", "model.language_model."] as const;

/** The prefix that this checkpoint's embedding has. @throws ERR_MISSING_TENSOR */
export function hfPrefix(names: ReadonlyMap<string, unknown>, where: string): string {
  const embedding = MODEL_TENSORS[0].hf;
  const prefix = HF_PREFIXES.find((candidate) => names.has(candidate + embedding));
  if (prefix !== undefined) return prefix;
  throw new GemmaError("ERR_MISSING_TENSOR", `${where}: model.${embedding} must be present, got no such tensor`);
}
