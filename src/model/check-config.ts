import { GemmaError } from "../base/errors.js";
import type { GemmaConfig } from "./config.js";

/** Largest values that are believed; the largest published sizes are 27B's 5376 x 62 and a vocabulary of 262,208. */
const LIMITS = {
  vocabSize: 1 << 24,
  hiddenSize: 1 << 16,
  intermediateSize: 1 << 20,
  numHiddenLayers: 512,
  numAttentionHeads: 1024,
  numKeyValueHeads: 1024,
  headDim: 512, // what attention kernels hold on their stack; Gemma has up to 256
  maxPositionEmbeddings: 1 << 24, // positions stay exact in f32
  slidingWindow: 1 << 24,
} as const;

/** Looked at before anything is made for each layer. @throws ERR_INVALID_VALUE */
export function checkLayerCount(layers: number, where: string): number {
  const most = LIMITS.numHiddenLayers;
  if (Number.isInteger(layers) && layers >= 1 && layers <= most) return layers;
  throw new GemmaError("ERR_INVALID_VALUE", `${where}: the layers must be 1 to ${most} in number, got ${layers}`);
}

/**
 * Checks ranges and consistency, so that a hostile configuration neither divides by zero nor asks for absurd sizes.
 * @throws ERR_INVALID_VALUE `config.json: headDim must be even, got 7`
 */
export function checkConfig(config: GemmaConfig, where: string): GemmaConfig {
  const require = (holds: boolean, key: keyof GemmaConfig, must: string, got: unknown = config[key]) => {
    if (!holds) throw new GemmaError("ERR_INVALID_VALUE", `${where}: ${key} must be ${must}, got ${String(got)}`);
  };
  for (const [key, most] of Object.entries(LIMITS) as [keyof typeof LIMITS, number][]) {
    const value = config[key];
    if (value === null) continue; // slidingWindow alone may be null
    require(Number.isInteger(value) && value >= 1 && value <= most, key, `a whole number of 1 to ${most}`);
  }
  const positive = ["ropeTheta", "ropeLocalTheta", "ropeScalingFactor", "queryPreAttnScalar", "rmsNormEps"] as const;
  for (const key of positive) require(isPositive(config[key]), key, "a finite number > 0");
  require(config.rmsNormEps < 1, "rmsNormEps", "below 1");
  for (const key of ["attnLogitSoftcapping", "finalLogitSoftcapping"] as const) {
    require(config[key] === null || isPositive(config[key]), key, "a finite number > 0, or null");
  }

  require(config.headDim % 2 === 0, "headDim", "even (RoPE turns pairs)");
  const { numAttentionHeads: heads, numKeyValueHeads: kvHeads } = config;
  require(heads % kvHeads === 0, "numKeyValueHeads", `a divisor of the ${heads} attention heads`);
  const types = config.layerTypes;
  require(types.length === config.numHiddenLayers, "layerTypes", `${config.numHiddenLayers} in number`, types.length);
  const slides = types.includes("sliding");
  require(!slides || config.slidingWindow !== null, "slidingWindow", "given for sliding layers");

  for (const id of [config.bosTokenId, ...config.eosTokenIds]) {
    const key = id === config.bosTokenId ? "bosTokenId" : "eosTokenIds";
    require(Number.isInteger(id) && id >= 0 && id < config.vocabSize, key, `in 0..${config.vocabSize - 1}`, id);
  }
  return config;
}

function isPositive(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}
