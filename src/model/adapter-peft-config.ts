import { GemmaError } from "../base/errors.js";
import { type JsonObject, type JsonValue, parseJson } from "../format/json.js";
import { describeJson, expectArray, expectObject, getInteger, getNumber, getString } from "../format/json-read.js";
import { isNeutral } from "./config-hf-keys.js";

/** What a PEFT adapter_config.json says of a LoRA adapter. */
export interface AdapterConfig {
  /** The adapted modules by name; undefined where a pattern picks them: then the tensors tell. */
  readonly targetModules: readonly string[] | undefined;
  /** Not every layer need be adapted. */
  readonly picksLayers: boolean;
  /** For people: the base that it was trained on. */
  readonly baseModel: string | undefined;
  /** Rank and scale of a module such as `layers.0.self_attn.q_proj`. */
  forModule(path: string): { readonly rank: number; readonly scale: number };
}

/** Read here, or known to say nothing about applying the adapter: training, initialisation, bookkeeping. */
const KNOWN = new Set([
  "alpha_pattern",
  "auto_mapping",
  "base_model_name_or_path",
  "bias",
  "corda_config",
  "ensure_weight_tying",
  "eva_config",
  "exclude_modules",
  "inference_mode",
  "init_lora_weights",
  "layers_pattern",
  "layers_to_transform",
  "loftq_config",
  "lora_alpha",
  "lora_dropout",
  "lora_ga_config",
  "megatron_config",
  "megatron_core",
  "peft_type",
  "peft_version",
  "qalora_group_size",
  "r",
  "rank_pattern",
  "revision",
  "runtime_config",
  "target_modules",
  "task_type",
  "use_rslora",
]);
const MAX_RANK = 1 << 16;
const MAX_PATTERNS = 4096; // more than one for each matrix of any Gemma

/**
 * Reads an adapter_config.json. Any key that is not known must be off: variants of LoRA (DoRA, ALoRA, …) announce
 * themselves by a key of their own.
 *
 * @throws ERR_UNSUPPORTED_OPTION, ERR_MISSING_KEY, ERR_INVALID_TYPE, ERR_INVALID_VALUE, and what parseJson throws
 */
export function parseAdapterConfig(json: Uint8Array | string, where: string): AdapterConfig {
  const object = expectObject(parseJson(json, where), where);
  expectOption(getString(object, "peft_type", where), "peft_type", "LORA", where);
  expectOption(object.get("bias") ?? "none", "bias", "none", where);
  for (const [key, value] of object) {
    if (KNOWN.has(key) || isNeutral(value)) continue;
    const what = `${key.slice(0, 80)} must be absent or off`;
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: ${what}, got ${describeJson(value)}`);
  }

  const rank = checkRank(getInteger(object, "r", where), "r", where);
  const alpha = getNumber(object, "lora_alpha", where);
  const rankStabilised = object.get("use_rslora") === true;
  const ranks = patternTable(object, "rank_pattern", where);
  const alphas = patternTable(object, "alpha_pattern", where);
  for (const [key, value] of ranks) checkRank(value, `rank_pattern: ${key}`, where);
  const base = object.get("base_model_name_or_path");
  return {
    targetModules: targetModules(object, where),
    picksLayers:
      !isNeutral(object.get("layers_to_transform") ?? null) || !isNeutral(object.get("exclude_modules") ?? null),
    baseModel: typeof base === "string" ? base : undefined,
    forModule(path) {
      const r = lookUp(ranks, path) ?? rank;
      const a = lookUp(alphas, path) ?? alpha;
      return { rank: r, scale: rankStabilised ? a / Math.sqrt(r) : a / r }; // rsLoRA: Kalajdzievski 2023
    },
  };
}

/** A list of names, or undefined for a pattern: the adapter's tensors are the result of it. */
function targetModules(object: JsonObject, where: string): readonly string[] | undefined {
  const value = object.get("target_modules");
  if (typeof value === "string" || value === null) return undefined;
  if (value === undefined) throw new GemmaError("ERR_MISSING_KEY", `${where}: target_modules must be present`);
  return expectArray(value, `${where}: target_modules`).map((name) => {
    if (typeof name === "string") return name;
    throw new GemmaError("ERR_INVALID_TYPE", `${where}: target_modules must be strings, got ${describeJson(name)}`);
  });
}

/** rank_pattern and alpha_pattern: ends of module names. PEFT takes regular expressions too; those are refused. */
function patternTable(object: JsonObject, key: string, where: string): ReadonlyMap<string, number> {
  const value = object.get(key) ?? null;
  const table = new Map<string, number>();
  if (value === null) return table;
  const patterns = expectObject(value, `${where}: ${key}`);
  if (patterns.size > MAX_PATTERNS) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${where}: ${key} must have at most ${MAX_PATTERNS} entries, got ${patterns.size}`,
    );
  }
  for (const pattern of patterns.keys()) {
    if (!/^[\w.]+$/.test(pattern)) {
      throw new GemmaError(
        "ERR_UNSUPPORTED_OPTION",
        `${where}: ${key} must have plain module names, got ${pattern.slice(0, 80)}`,
      );
    }
    table.set(pattern, getNumber(patterns, pattern, `${where}: ${key}`));
  }
  return table;
}

function lookUp(table: ReadonlyMap<string, number>, path: string): number | undefined {
  for (const [pattern, value] of table) {
    // Patterns may be written from the model's root: model.layers.0.self_attn.q_proj
    if (path === pattern || path.endsWith(`.${pattern}`) || pattern.endsWith(`.${path}`)) return value;
  }
  return undefined;
}

function checkRank(rank: number, key: string, where: string): number {
  if (Number.isInteger(rank) && rank >= 1 && rank <= MAX_RANK) return rank;
  throw new GemmaError("ERR_INVALID_VALUE", `${where}: ${key} must be a whole number of 1 to ${MAX_RANK}, got ${rank}`);
}

function expectOption(value: JsonValue, key: string, supported: string, where: string): void {
  if (value === supported) return;
  throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: ${key} must be ${supported}, got ${describeJson(value)}`);
}
