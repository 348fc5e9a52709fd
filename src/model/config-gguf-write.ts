import { f32, type GgufWritable, u32 } from "../format/gguf-write.js";
import type { GemmaConfig } from "./config.js";

/**
 * The configuration as GGUF metadata, under llama.cpp's keys; what a generation has no key for follows from its
 * architecture.
 * @param name `general.name`, for people
 */
export function ggufConfig(c: GemmaConfig, name: string): [key: string, value: GgufWritable][] {
  const architecture = (["gemma", "gemma2", "gemma3"] as const)[c.generation - 1]!;
  const number = (key: string, value: number): [string, GgufWritable] => [`${architecture}.${key}`, u32(value)];
  const real = (key: string, value: number): [string, GgufWritable] => [`${architecture}.${key}`, f32(value)];
  const pairs: [string, GgufWritable][] = [
    ["general.architecture", architecture],
    ["general.name", name],
    number("context_length", c.maxPositionEmbeddings),
    number("embedding_length", c.hiddenSize),
    number("block_count", c.numHiddenLayers),
    number("feed_forward_length", c.intermediateSize),
    number("attention.head_count", c.numAttentionHeads),
    number("attention.head_count_kv", c.numKeyValueHeads),
    number("attention.key_length", c.headDim),
    number("attention.value_length", c.headDim),
    real("attention.layer_norm_rms_epsilon", c.rmsNormEps),
    real("rope.freq_base", c.ropeTheta),
  ];
  if (c.slidingWindow !== null) pairs.push(number("attention.sliding_window", c.slidingWindow));
  if (c.attnLogitSoftcapping !== null) pairs.push(real("attn_logit_softcapping", c.attnLogitSoftcapping));
  if (c.finalLogitSoftcapping !== null) pairs.push(real("final_logit_softcapping", c.finalLogitSoftcapping));
  if (c.ropeScalingFactor !== 1) {
    pairs.push([`${architecture}.rope.scaling.type`, "linear"], real("rope.scaling.factor", c.ropeScalingFactor));
  }
  if (c.ropeLocalTheta !== c.ropeTheta && c.ropeLocalTheta !== 10_000)
    pairs.push(real("rope.freq_base_swa", c.ropeLocalTheta));
  return pairs;
}
