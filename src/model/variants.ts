import { defaultLayerTypes, type GemmaConfig } from "./config.js";

// The published sizes. Pre-trained and instruction-tuned checkpoints share a configuration.
// Sources: config.json of google/gemma-2b … google/gemma-3-27b-pt on Hugging Face.

const gemma1 = {
  generation: 1,
  vocabSize: 256_000,
  headDim: 256,
  rmsNormEps: 1e-6,
  maxPositionEmbeddings: 8192,
  ropeTheta: 10_000,
  ropeLocalTheta: 10_000,
  ropeScalingFactor: 1,
  queryPreAttnScalar: 256,
  attnLogitSoftcapping: null,
  finalLogitSoftcapping: null,
  slidingWindow: null,
  qkNorm: false,
  postNorms: false,
  bosTokenId: 2,
  eosTokenIds: [1],
} as const;

const gemma2 = {
  ...gemma1,
  generation: 2,
  attnLogitSoftcapping: 50,
  finalLogitSoftcapping: 30,
  slidingWindow: 4096,
  postNorms: true,
} as const;

const gemma3 = {
  ...gemma1,
  generation: 3,
  vocabSize: 262_144,
  maxPositionEmbeddings: 32 * 1024, // 32768
  ropeTheta: 1_000_000,
  slidingWindow: 512,
  qkNorm: true,
  postNorms: true,
  eosTokenIds: [1, 106], // <eos>, <end_of_turn>
} as const;

/** The text towers of the multimodal sizes. */
const gemma3Large = {
  ...gemma3,
  vocabSize: 262_144 + 64, // 262208, with room for image tokens
  maxPositionEmbeddings: 128 * 1024, // 131072
  ropeScalingFactor: 8,
  slidingWindow: 1024,
} as const;

/** The configuration with its lists: the variants are shared by all who import them. */
function frozen<T extends GemmaConfig>(config: T): Readonly<T> {
  Object.freeze(config.layerTypes);
  Object.freeze(config.eosTokenIds);
  return Object.freeze(config);
}

/** Gemma 2B; 1.1 is the same network, tuned again. */
export const gemma2b = frozen({
  ...gemma1,
  hiddenSize: 2048,
  intermediateSize: 8 * 2048, // 16384
  numHiddenLayers: 18,
  numAttentionHeads: 8,
  numKeyValueHeads: 1,
  layerTypes: defaultLayerTypes(1, 18),
}) satisfies GemmaConfig;

/** Gemma 7B; 1.1 is the same network, tuned again. Its heads are wider than the model: 16 * 256 = 4096. */
export const gemma7b = frozen({
  ...gemma1,
  hiddenSize: 3072,
  intermediateSize: 8 * 3072, // 24576
  numHiddenLayers: 28,
  numAttentionHeads: 16,
  numKeyValueHeads: 16,
  layerTypes: defaultLayerTypes(1, 28),
}) satisfies GemmaConfig;

export const gemma2_2b = frozen({
  ...gemma2,
  hiddenSize: 2304,
  intermediateSize: 4 * 2304, // 9216
  numHiddenLayers: 26,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  layerTypes: defaultLayerTypes(2, 26),
}) satisfies GemmaConfig;

export const gemma2_9b = frozen({
  ...gemma2,
  hiddenSize: 3584,
  intermediateSize: 4 * 3584, // 14336
  numHiddenLayers: 42,
  numAttentionHeads: 16,
  numKeyValueHeads: 8,
  layerTypes: defaultLayerTypes(2, 42),
}) satisfies GemmaConfig;

export const gemma2_27b = frozen({
  ...gemma2,
  hiddenSize: 4608,
  intermediateSize: 8 * 4608, // 36864
  numHiddenLayers: 46,
  numAttentionHeads: 32,
  numKeyValueHeads: 16,
  headDim: 128,
  queryPreAttnScalar: 4608 / 32, // 144: hidden / heads, not headDim
  layerTypes: defaultLayerTypes(2, 46),
}) satisfies GemmaConfig;

export const gemma3_270m = frozen({
  ...gemma3,
  hiddenSize: 640,
  intermediateSize: 2048,
  numHiddenLayers: 18,
  numAttentionHeads: 4,
  numKeyValueHeads: 1,
  layerTypes: defaultLayerTypes(3, 18),
}) satisfies GemmaConfig;

export const gemma3_1b = frozen({
  ...gemma3,
  hiddenSize: 1152,
  intermediateSize: 6 * 1152, // 6912
  numHiddenLayers: 26,
  numAttentionHeads: 4,
  numKeyValueHeads: 1,
  layerTypes: defaultLayerTypes(3, 26),
}) satisfies GemmaConfig;

export const gemma3_4b = frozen({
  ...gemma3Large,
  hiddenSize: 2560,
  intermediateSize: 4 * 2560, // 10240
  numHiddenLayers: 34,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  layerTypes: defaultLayerTypes(3, 34),
}) satisfies GemmaConfig;

export const gemma3_12b = frozen({
  ...gemma3Large,
  hiddenSize: 3840,
  intermediateSize: 4 * 3840, // 15360
  numHiddenLayers: 48,
  numAttentionHeads: 16,
  numKeyValueHeads: 8,
  layerTypes: defaultLayerTypes(3, 48),
}) satisfies GemmaConfig;

export const gemma3_27b = frozen({
  ...gemma3Large,
  hiddenSize: 5376,
  intermediateSize: 4 * 5376, // 21504
  numHiddenLayers: 62,
  numAttentionHeads: 32,
  numKeyValueHeads: 16,
  headDim: 128,
  queryPreAttnScalar: 5376 / 32, // 168: hidden / heads, not headDim
  layerTypes: defaultLayerTypes(3, 62),
}) satisfies GemmaConfig;

/** By the name of the checkpoint family. */
export const VARIANTS: ReadonlyMap<string, GemmaConfig> = new Map<string, GemmaConfig>([
  ["gemma-2b", gemma2b],
  ["gemma-7b", gemma7b],
  ["gemma-1.1-2b", gemma2b],
  ["gemma-1.1-7b", gemma7b],
  ["gemma-2-2b", gemma2_2b],
  ["gemma-2-9b", gemma2_9b],
  ["gemma-2-27b", gemma2_27b],
  ["gemma-3-270m", gemma3_270m],
  ["gemma-3-1b", gemma3_1b],
  ["gemma-3-4b", gemma3_4b],
  ["gemma-3-12b", gemma3_12b],
  ["gemma-3-27b", gemma3_27b],
]);

/** The published size that a configuration has, e.g. "gemma-3-270m" (1.1 reads as 1.0); undefined: none of them. */
export function variantName(config: GemmaConfig): string | undefined {
  for (const [name, variant] of VARIANTS) {
    const same =
      variant.generation === config.generation &&
      variant.hiddenSize === config.hiddenSize &&
      variant.intermediateSize === config.intermediateSize &&
      variant.numHiddenLayers === config.numHiddenLayers &&
      variant.numAttentionHeads === config.numAttentionHeads &&
      variant.numKeyValueHeads === config.numKeyValueHeads;
    if (same) return name;
  }
  return undefined;
}
