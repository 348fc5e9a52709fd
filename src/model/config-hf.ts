import { GemmaError } from "../base/errors.js";
import { type JsonObject, type JsonValue, parseJson } from "../format/json.js";
import { describeJson, expectArray, expectObject, getInteger, getNumber, getString } from "../format/json-read.js";
import { checkConfig, checkLayerCount } from "./check-config.js";
import { defaultLayerTypes, type GemmaConfig, type LayerType } from "./config.js";
import { checkKeys } from "./config-hf-keys.js";
import { hfRope } from "./config-hf-rope.js";

/** What a Hugging Face config.json says. */
export interface HfConfig {
  readonly config: GemmaConfig;
  /** The head is the embedding. false: the checkpoint announces a head of its own. */
  readonly tiedHead: boolean;
  /** Lines for the user: what was skipped or not understood. */
  readonly notes: readonly string[];
}

const GENERATIONS: ReadonlyMap<string, 1 | 2 | 3> = new Map([
  ["gemma", 1],
  ["gemma2", 2],
  ["gemma3_text", 3],
]);

const TANH_GELU = "gelu_pytorch_tanh";

/** What transformers assumes where a key is absent: configuration_gemma{,2,3}.py of transformers 5.0. */
const DEFAULTS = {
  1: { vocab: 256_000, hidden: 3072, ffn: 24_576, layers: 28, heads: 16, kvHeads: 16, context: 8192 },
  2: { vocab: 256_000, hidden: 2304, ffn: 9216, layers: 26, heads: 8, kvHeads: 4, context: 8192 },
  3: { vocab: 262_208, hidden: 2304, ffn: 9216, layers: 26, heads: 8, kvHeads: 4, context: 131_072 },
} as const;

/**
 * Reads a config.json: model types gemma, gemma2, gemma3_text, and gemma3, of which the text tower is taken. Both the
 * form of transformers 4 (rope_theta, sliding_window_pattern) and that of 5 (rope_parameters, layer_types) are known.
 *
 * @throws ERR_UNSUPPORTED_ARCH, ERR_UNSUPPORTED_OPTION, ERR_MISSING_KEY, ERR_INVALID_TYPE, ERR_INVALID_VALUE, and
 *   what parseJson throws
 */
export function parseHfConfig(json: string | Uint8Array, where = "config.json"): HfConfig {
  const top = expectObject(parseJson(json, where), where);
  const modelType = getString(top, "model_type", where);
  const notes: string[] = [];
  let text = top;
  if (modelType === "gemma3") {
    text = expectObject(top.get("text_config"), `${where}: text_config`);
    notes.push(`${where}: a multimodal checkpoint; its text tower is loaded, vision tensors are skipped`);
  }
  const textType = text === top ? modelType : orElse(text, "model_type", "gemma3_text", getString, where);
  const generation = GENERATIONS.get(textType);
  if (generation === undefined) {
    throw new GemmaError(
      "ERR_UNSUPPORTED_ARCH",
      `${where}: model_type must be gemma, gemma2, gemma3_text or gemma3, got ${describeJson(textType)}`,
    );
  }
  if (text !== top) checkKeys(top, where); // quantization_config may stand beside text_config
  const unknown = [...checkKeys(text, where)];
  if (unknown.length > 0) notes.push(`${where}: unknown keys were ignored: ${unknown.slice(0, 10).join(", ")}`);
  checkActivation(text, generation, where);

  const config = textConfig(text, top, generation, where);
  const tied = text.get("tie_word_embeddings") ?? top.get("tie_word_embeddings") ?? true;
  if (typeof tied !== "boolean") {
    throw new GemmaError(
      "ERR_INVALID_TYPE",
      `${where}: tie_word_embeddings must be true or false, got ${describeJson(tied)}`,
    );
  }
  return { config: checkConfig(config, where), tiedHead: tied, notes };
}

function textConfig(text: JsonObject, top: JsonObject, generation: 1 | 2 | 3, where: string): GemmaConfig {
  const defaults = DEFAULTS[generation];
  const integer = (key: string, otherwise: number) => orElse(text, key, otherwise, getInteger, where);
  const numHiddenLayers = checkLayerCount(integer("num_hidden_layers", defaults.layers), where);
  const headDim = integer("head_dim", 256);
  const eos = text.get("eos_token_id") ?? top.get("eos_token_id") ?? 1;
  return {
    generation,
    vocabSize: integer("vocab_size", defaults.vocab),
    hiddenSize: integer("hidden_size", defaults.hidden),
    intermediateSize: integer("intermediate_size", defaults.ffn),
    numHiddenLayers,
    numAttentionHeads: integer("num_attention_heads", defaults.heads),
    numKeyValueHeads: integer("num_key_value_heads", defaults.kvHeads),
    headDim,
    rmsNormEps: orElse(text, "rms_norm_eps", 1e-6, getNumber, where),
    maxPositionEmbeddings: integer("max_position_embeddings", defaults.context),
    ...hfRope(text, generation, where),
    queryPreAttnScalar: generation === 1 ? headDim : orElse(text, "query_pre_attn_scalar", 256, getNumber, where),
    attnLogitSoftcapping: softCap(text, "attn_logit_softcapping", generation === 2 ? 50 : null, where),
    finalLogitSoftcapping: softCap(text, "final_logit_softcapping", generation === 2 ? 30 : null, where),
    slidingWindow: generation === 1 ? null : nullable(text, "sliding_window", 4096, where),
    layerTypes: layerTypes(text, generation, numHiddenLayers, where),
    qkNorm: generation === 3,
    postNorms: generation !== 1,
    bosTokenId: nullable(text, "bos_token_id", 2, where) ?? 2,
    eosTokenIds: (Array.isArray(eos) ? (eos as readonly JsonValue[]) : [eos]).map((id) => tokenId(id, where)),
  };
}

/** Gemma means the tanh form of GELU; transformers reads the `"hidden_act": "gelu"` of the first releases so too. */
function checkActivation(text: JsonObject, generation: 1 | 2 | 3, where: string): void {
  const activation = text.get("hidden_activation") ?? null;
  const act = generation === 1 ? (text.get("hidden_act") ?? null) : null; // Gemma 2 and 3 do not read it
  if (activation === TANH_GELU) return;
  if (activation === null && (act === null || act === "gelu" || act === TANH_GELU)) return;
  const got = describeJson(activation ?? act);
  throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: the activation must be ${TANH_GELU}, got ${got}`);
}

function softCap(text: JsonObject, key: string, otherwise: number | null, where: string): number | null {
  const value = text.get(key);
  if (value === null) return null;
  return value === undefined ? otherwise : getNumber(text, key, where);
}

/** layer_types where it is given, else the pattern: every n-th layer is full. */
function layerTypes(text: JsonObject, generation: 1 | 2 | 3, layers: number, where: string): readonly LayerType[] {
  const listed = text.get("layer_types") ?? null;
  if (listed !== null) {
    const types = expectArray(listed, `${where}: layer_types`).map((type) => layerType(type, where));
    if (generation !== 1 || !types.includes("sliding")) return types;
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: layer_types of Gemma 1 must be full_attention`);
  }
  const key = text.has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern";
  const pattern = generation === 3 ? orElse(text, key, 6, getInteger, where) : 2;
  if (pattern < 1) throw new GemmaError("ERR_INVALID_VALUE", `${where}: ${key} must be >= 1, got ${pattern}`);
  return defaultLayerTypes(generation, layers, pattern);
}

function layerType(value: JsonValue, where: string): LayerType {
  if (value === "full_attention") return "full";
  if (value === "sliding_attention") return "sliding";
  throw new GemmaError(
    "ERR_UNSUPPORTED_OPTION",
    `${where}: layer_types must be full_attention or sliding_attention, got ${describeJson(value)}`,
  );
}

function tokenId(value: JsonValue, where: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new GemmaError(
    "ERR_INVALID_TYPE",
    `${where}: eos_token_id must be an integer or several, got ${describeJson(value)}`,
  );
}

function nullable(text: JsonObject, key: string, otherwise: number, where: string): number | null {
  return text.get(key) === null ? null : orElse(text, key, otherwise, getInteger, where);
}

/** The key's value as `get` reads it, or `otherwise` if there is no such key. null is a value, and rarely a good one. */
function orElse<T>(
  object: JsonObject,
  key: string,
  otherwise: T,
  get: (object: JsonObject, key: string, where: string) => T,
  where: string,
): T {
  return object.has(key) ? get(object, key, where) : otherwise;
}
