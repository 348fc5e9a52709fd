import type { GemmaConfig } from "./config.js";
import { defaultLayerTypes } from "./config.js";

const MODEL_TYPES = { 1: "gemma", 2: "gemma2", 3: "gemma3_text" } as const;
const CLASSES = { 1: "GemmaForCausalLM", 2: "Gemma2ForCausalLM", 3: "Gemma3ForCausalLM" } as const;
const ROUND_TRIP = 7; // significant digits of an f32: GGUF's 0.0000010000 is 1e-6 again

/**
 * A Hugging Face config.json of the text model. Its keys are those of transformers 4, which 5 and other programs read too.
 * @param dtype of the weights: "bfloat16", "float16" or "float32"
 */
export function hfConfig(c: GemmaConfig, dtype: string, padTokenId: number | undefined): Record<string, unknown> {
  return {
    architectures: [CLASSES[c.generation]],
    model_type: MODEL_TYPES[c.generation],
    vocab_size: c.vocabSize,
    hidden_size: c.hiddenSize,
    intermediate_size: c.intermediateSize,
    num_hidden_layers: c.numHiddenLayers,
    num_attention_heads: c.numAttentionHeads,
    num_key_value_heads: c.numKeyValueHeads,
    head_dim: c.headDim,
    hidden_act: "gelu_pytorch_tanh",
    hidden_activation: "gelu_pytorch_tanh",
    rms_norm_eps: Number(c.rmsNormEps.toPrecision(ROUND_TRIP)),
    max_position_embeddings: c.maxPositionEmbeddings,
    rope_theta: c.ropeTheta,
    ...(c.ropeScalingFactor === 1
      ? {}
      : { rope_scaling: { rope_type: "linear", factor: Number(c.ropeScalingFactor.toPrecision(ROUND_TRIP)) } }),
    ...(c.generation === 3 ? { rope_local_base_freq: c.ropeLocalTheta } : {}),
    ...(c.generation === 1
      ? {}
      : {
          query_pre_attn_scalar: c.queryPreAttnScalar,
          attn_logit_softcapping: c.attnLogitSoftcapping,
          final_logit_softcapping: c.finalLogitSoftcapping,
          sliding_window: c.slidingWindow,
          layer_types: c.layerTypes.map((type) => `${type}_attention`),
        }),
    ...(c.generation === 3 ? patternKey(c) : {}),
    attention_bias: false,
    tie_word_embeddings: true,
    bos_token_id: c.bosTokenId,
    eos_token_id: c.eosTokenIds.length === 1 ? c.eosTokenIds[0] : c.eosTokenIds,
    ...(padTokenId === undefined ? {} : { pad_token_id: padTokenId }),
    torch_dtype: dtype,
  };
}

/** The period of full layers, for programs older than layer_types. */
function patternKey({ layerTypes }: GemmaConfig): { sliding_window_pattern?: number } {
  const period = layerTypes.indexOf("full") + 1;
  if (period === 0) return {};
  const same = defaultLayerTypes(3, layerTypes.length, period).every((type, i) => type === layerTypes[i]);
  return same ? { sliding_window_pattern: period } : {};
}
