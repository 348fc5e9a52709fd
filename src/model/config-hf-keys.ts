import { GemmaError } from "../base/errors.js";
import type { JsonObject, JsonValue } from "../format/json.js";
import { describeJson } from "../format/json-read.js";

/** Read by parseHfConfig. */
const READ = [
  "model_type",
  "text_config",
  "vocab_size",
  "hidden_size",
  "intermediate_size",
  "num_hidden_layers",
  "num_attention_heads",
  "num_key_value_heads",
  "head_dim",
  "rms_norm_eps",
  "max_position_embeddings",
  "rope_theta",
  "rope_scaling",
  "rope_local_base_freq",
  "rope_parameters",
  "query_pre_attn_scalar",
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "sliding_window",
  "sliding_window_pattern",
  "_sliding_window_pattern",
  "layer_types",
  "hidden_act",
  "hidden_activation",
  "tie_word_embeddings",
  "bos_token_id",
  "eos_token_id",
];

/** Known to say nothing about the forward pass: bookkeeping, training, generation defaults, other towers. */
const HARMLESS = [
  "_name_or_path",
  "_attn_implementation",
  "_attn_implementation_autoset",
  "architectures",
  "attention_dropout",
  "boi_token_index",
  "cache_implementation",
  "chunk_size_feed_forward",
  "decoder_start_token_id",
  "dtype",
  "eoi_token_index",
  "id2label",
  "image_token_index",
  "initializer_range",
  "is_decoder",
  "label2id",
  "mm_tokens_per_image",
  "output_attentions",
  "output_hidden_states",
  "pad_token_id",
  "problem_type",
  "return_dict",
  "sliding_window_size", // sliding_window again, in the first Gemma 2 configs
  "torch_dtype",
  "transformers_version",
  "unk_token_id",
  "unsloth_fixed",
  "unsloth_version",
  "use_cache",
  "vision_config",
];

/** Known to change the forward pass in a way that is not implemented; neutral values (null, false, 0, empty) pass. */
const UNSUPPORTED = [
  "add_cross_attention",
  "altup_num_inputs",
  "attention_bias",
  "attention_k_eq_v",
  "attention_multiplier",
  "enable_moe_block",
  "hidden_size_per_layer_input",
  "is_encoder_decoder",
  "laurel_rank",
  "mlp_bias",
  "num_experts",
  "num_kv_shared_layers",
  "num_local_experts",
  "partial_rotary_factor",
  "quantization", // of MLX
  "quantization_config",
  "use_bidirectional_attention",
];

const KNOWN = new Set([...READ, ...HARMLESS]);
const REFUSED = new Set(UNSUPPORTED);

/**
 * Refuses keys that would change the computation, and returns those that nobody here knows.
 * @throws ERR_UNSUPPORTED_OPTION `config.json: attention_bias is not supported, got true`
 */
export function checkKeys(text: JsonObject, where: string): readonly string[] {
  const unknown: string[] = [];
  for (const [key, value] of text) {
    if (KNOWN.has(key)) continue;
    if (!REFUSED.has(key)) unknown.push(key.slice(0, 80));
    else if (!isNeutral(value)) {
      const got = describeJson(value);
      throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: ${key} must be absent or off, got ${got}`);
    }
  }
  return unknown;
}

/** null, false, 0, and empty strings, lists and objects switch an option off. */
export function isNeutral(value: JsonValue): boolean {
  if (value instanceof Map) return value.size === 0;
  if (Array.isArray(value)) return value.length === 0;
  return !value;
}
