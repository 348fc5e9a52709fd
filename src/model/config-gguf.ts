import { GemmaError } from "../base/errors.js";
import { GgufStrings, type GgufValue } from "../format/gguf-values.js";
import { checkConfig, checkLayerCount } from "./check-config.js";
import { defaultLayerTypes, type GemmaConfig, type LayerType } from "./config.js";

const GENERATIONS: ReadonlyMap<GgufValue, 1 | 2 | 3> = new Map<GgufValue, 1 | 2 | 3>([
  ["gemma", 1],
  ["gemma2", 2],
  ["gemma3", 3],
]);

/** The 27B sizes scale queries by hidden / heads; GGUF has no key for it, llama.cpp tells them by the layer count. */
const LAYERS_OF_27B: Readonly<Record<1 | 2 | 3, number | undefined>> = { 1: undefined, 2: 46, 3: 62 };

/**
 * Reads the configuration from GGUF metadata (architectures gemma, gemma2, gemma3). Absent optional keys mean what
 * llama.cpp takes them to mean.
 *
 * @param where the file's name, for messages
 * @throws ERR_UNSUPPORTED_ARCH, ERR_UNSUPPORTED_OPTION, ERR_MISSING_KEY, ERR_INVALID_TYPE, ERR_INVALID_VALUE
 */
export function parseGgufConfig(metadata: ReadonlyMap<string, GgufValue>, where: string): GemmaConfig {
  const architecture = metadata.get("general.architecture");
  if (architecture === undefined) throw missing(where, "general.architecture");
  const generation = GENERATIONS.get(architecture);
  if (generation === undefined) {
    const got = describe(architecture);
    throw new GemmaError(
      "ERR_UNSUPPORTED_ARCH",
      `${where}: general.architecture must be gemma, gemma2 or gemma3, got ${got}`,
    );
  }
  const keys = new Keys(metadata, `${architecture as string}.`, where);
  const hiddenSize = keys.number("embedding_length");
  const numHiddenLayers = checkLayerCount(keys.number("block_count"), where);
  const numAttentionHeads = keys.number("attention.head_count");
  const headDim = keys.number("attention.key_length", hiddenSize / numAttentionHeads);
  keys.same("attention.value_length", headDim);
  keys.same("rope.dimension_count", headDim);
  const ropeTheta = keys.number("rope.freq_base", generation === 3 ? undefined : 10_000);
  const is27b = numHiddenLayers === LAYERS_OF_27B[generation];

  return checkConfig(
    {
      generation,
      vocabSize: vocabSize(keys),
      hiddenSize,
      intermediateSize: keys.number("feed_forward_length"),
      numHiddenLayers,
      numAttentionHeads,
      numKeyValueHeads: keys.number("attention.head_count_kv", numAttentionHeads),
      headDim,
      rmsNormEps: keys.number("attention.layer_norm_rms_epsilon"),
      maxPositionEmbeddings: keys.number("context_length"),
      ropeTheta,
      ropeLocalTheta: generation === 3 ? keys.number("rope.freq_base_swa", 10_000) : ropeTheta,
      ropeScalingFactor: scalingFactor(keys, generation),
      queryPreAttnScalar: is27b ? hiddenSize / numAttentionHeads : headDim,
      attnLogitSoftcapping: softCap(keys, "attn_logit_softcapping", generation === 2 ? 50 : 0),
      finalLogitSoftcapping: softCap(keys, "final_logit_softcapping", generation === 2 ? 30 : 0),
      slidingWindow:
        generation === 1 ? null : keys.number("attention.sliding_window", generation === 2 ? 4096 : undefined),
      layerTypes: layerTypes(keys, generation, numHiddenLayers),
      qkNorm: generation === 3,
      postNorms: generation !== 1,
      bosTokenId: keys.tokenId("bos", 2),
      eosTokenIds: eosTokenIds(keys),
    },
    where,
  );
}

/** The rows of the embedding: a key of its own, or the length of the token list. */
function vocabSize(keys: Keys): number {
  const tokens = keys.metadata.get("tokenizer.ggml.tokens");
  if (tokens !== undefined && !(tokens instanceof GgufStrings)) {
    throw new GemmaError(
      "ERR_INVALID_TYPE",
      `${keys.where}: tokenizer.ggml.tokens must be strings, got ${describe(tokens)}`,
    );
  }
  return keys.number("vocab_size", tokens?.length);
}

function scalingFactor(keys: Keys, generation: 1 | 2 | 3): number {
  const type = keys.get("rope.scaling.type") ?? "linear"; // files before the type key have only a factor
  if (type === "none") return 1;
  const factor = keys.number("rope.scaling.factor", keys.number("rope.scale_linear", 1));
  if (type === "linear" && (factor === 1 || generation !== 2)) return factor;
  const got = `${describe(type)} with factor ${factor}`;
  throw new GemmaError(
    "ERR_UNSUPPORTED_OPTION",
    `${keys.where}: RoPE must be unscaled, or linearly scaled where no sliding layer shares it, got ${got}`,
  );
}

/** llama.cpp writes 0 for none. */
function softCap(keys: Keys, key: string, otherwise: number): number | null {
  const cap = keys.number(key, otherwise);
  return cap === 0 ? null : cap;
}

/** The pattern is a period (every n-th layer is full), or one boolean a layer (true: sliding). */
function layerTypes(keys: Keys, generation: 1 | 2 | 3, layers: number): readonly LayerType[] {
  const pattern = generation === 1 ? undefined : keys.get("attention.sliding_window_pattern");
  if (pattern instanceof Uint8Array) return Array.from(pattern, (slides) => (slides === 1 ? "sliding" : "full"));
  if (pattern === undefined) return defaultLayerTypes(generation, layers);
  const period = keys.number("attention.sliding_window_pattern");
  if (Number.isInteger(period) && period >= 1) return defaultLayerTypes(generation, layers, period);
  throw new GemmaError(
    "ERR_INVALID_VALUE",
    `${keys.where}: attention.sliding_window_pattern must be a whole number >= 1, got ${period}`,
  );
}

function eosTokenIds(keys: Keys): readonly number[] {
  const eos = keys.tokenId("eos", 1);
  const eot = keys.tokenId("eot", eos); // <end_of_turn>, where the converter wrote it
  return eot === eos ? [eos] : [eos, eot];
}

/** Typed access to the keys of one architecture. */
class Keys {
  constructor(
    readonly metadata: ReadonlyMap<string, GgufValue>,
    private readonly prefix: string,
    readonly where: string,
  ) {}

  get(key: string): GgufValue | undefined {
    return this.metadata.get(this.prefix + key);
  }

  /** @throws ERR_MISSING_KEY without the key and without `otherwise` */
  number(key: string, otherwise?: number): number {
    return this.asNumber(this.prefix + key, otherwise);
  }

  tokenId(name: string, otherwise: number): number {
    return this.asNumber(`tokenizer.ggml.${name}_token_id`, otherwise);
  }

  /** Throws if the key is there and says something else than `expected`. */
  same(key: string, expected: number): void {
    const value = this.number(key, expected);
    if (value === expected) return;
    throw new GemmaError(
      "ERR_INVALID_VALUE",
      `${this.where}: ${this.prefix}${key} must equal the key length ${expected}, got ${value}`,
    );
  }

  private asNumber(name: string, otherwise: number | undefined): number {
    const value = this.metadata.get(name) ?? otherwise;
    if (value === undefined) throw missing(this.where, name);
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    throw new GemmaError("ERR_INVALID_TYPE", `${this.where}: ${name} must be a number, got ${describe(value)}`);
  }
}

function missing(where: string, key: string): GemmaError {
  return new GemmaError("ERR_MISSING_KEY", `${where}: ${key} must be present, got no such key`);
}

function describe(value: GgufValue): string {
  return typeof value === "object" ? `an array of ${value.length}` : JSON.stringify(String(value).slice(0, 80));
}
