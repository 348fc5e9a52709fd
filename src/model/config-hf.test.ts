import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseHfConfig } from "./config-hf.js";
import { gemma2b, gemma3_4b, gemma3_12b, gemma3_27b, VARIANTS } from "./variants.js";

const fixture = (path: string) => readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url));
const parse = (config: object) => parseHfConfig(JSON.stringify(config));
const code = (expected: string) => expect.objectContaining({ code: expected });

test.each(["gemma1-mqa", "gemma1-mha", "gemma2", "gemma3", "gemma3-scaled"])(
  "%s: the forms of transformers 4 and 5 mean the same",
  (name) => {
    const old = parseHfConfig(fixture(`tiny/${name}/config.json`));
    expect(parseHfConfig(fixture(`tiny/${name}/config.v5.json`))).toEqual(old);
    expect(old.notes).toEqual([]);
  },
);

test("the text tower of a multimodal config is that of the text-only one", () => {
  const text = parseHfConfig(fixture("tiny/gemma3-scaled/config.json"));
  const multimodal = parseHfConfig(fixture("tiny/gemma3-mm/config.json"));
  expect(multimodal.config).toEqual(text.config);
  expect(multimodal.notes).toHaveLength(1);
});

describe("published configs, shortened to what they say", () => {
  const scaling = { rope_scaling: { factor: 8.0, rope_type: "linear" } };
  test.each([
    // gemma-3-4b-it leaves heads, vocabulary and context to transformers' defaults.
    [gemma3_4b, { hidden_size: 2560, intermediate_size: 10240, num_hidden_layers: 34 }],
    [
      gemma3_12b,
      {
        hidden_size: 3840,
        intermediate_size: 15360,
        num_attention_heads: 16,
        num_hidden_layers: 48,
        num_key_value_heads: 8,
      },
    ],
    [
      gemma3_27b,
      {
        head_dim: 128,
        hidden_size: 5376,
        intermediate_size: 21504,
        num_attention_heads: 32,
        num_hidden_layers: 62,
        num_key_value_heads: 16,
        query_pre_attn_scalar: 168,
      },
    ],
  ])("gemma3, %#", (variant, text) => {
    const text_config = { model_type: "gemma3_text", sliding_window: 1024, ...scaling, ...text };
    const { config } = parse({ model_type: "gemma3", eos_token_id: [1, 106], text_config, vision_config: {} });
    expect(config).toEqual(variant);
  });

  test("gemma-2b: hidden_act gelu means the tanh form", () => {
    const config = {
      model_type: "gemma",
      hidden_act: "gelu",
      hidden_size: 2048,
      intermediate_size: 16384,
      num_attention_heads: 8,
      num_hidden_layers: 18,
      num_key_value_heads: 1,
    };
    expect(parse(config).config).toEqual(gemma2b);
    expect(() => parse({ ...config, hidden_activation: "gelu" })).toThrow(code("ERR_UNSUPPORTED_OPTION"));
  });

  test("gemma-2-27b in the form of transformers 5", () => {
    const { config } = parse({
      model_type: "gemma2",
      head_dim: 128,
      hidden_size: 4608,
      intermediate_size: 36864,
      num_attention_heads: 32,
      num_hidden_layers: 46,
      num_key_value_heads: 16,
      query_pre_attn_scalar: 144,
      rope_parameters: { rope_type: "default", rope_theta: 10000.0 },
    });
    expect(config).toEqual(VARIANTS.get("gemma-2-27b"));
  });
});

describe("what is refused", () => {
  const tiny = JSON.parse(fixture("tiny/gemma3/config.json").toString());
  test.each([
    ["attention_bias", true, "ERR_UNSUPPORTED_OPTION"],
    ["use_bidirectional_attention", true, "ERR_UNSUPPORTED_OPTION"],
    ["quantization_config", { bits: 4 }, "ERR_UNSUPPORTED_OPTION"],
    ["rope_scaling", { type: "yarn", factor: 4 }, "ERR_UNSUPPORTED_OPTION"],
    ["rope_scaling", { rope_type: "linear" }, "ERR_MISSING_KEY"],
    ["rope_scaling", { rope_type: "linear", factor: 0 }, "ERR_INVALID_VALUE"],
    ["rope_parameters", { sliding_attention: { rope_type: "linear", factor: 8 } }, "ERR_UNSUPPORTED_OPTION"],
    ["hidden_activation", "silu", "ERR_UNSUPPORTED_OPTION"],
    ["model_type", "llama", "ERR_UNSUPPORTED_ARCH"],
    ["model_type", "constructor", "ERR_UNSUPPORTED_ARCH"],
    ["num_hidden_layers", 1e9, "ERR_INVALID_VALUE"],
    ["num_attention_heads", 3.5, "ERR_INVALID_TYPE"],
    ["head_dim", 1024, "ERR_INVALID_VALUE"],
    ["num_key_value_heads", 3, "ERR_INVALID_VALUE"],
    ["rms_norm_eps", -1e-6, "ERR_INVALID_VALUE"],
    ["vocab_size", 2 ** 40, "ERR_INVALID_VALUE"],
    ["layer_types", ["full_attention"], "ERR_INVALID_VALUE"],
    ["sliding_window", null, "ERR_INVALID_VALUE"],
    ["eos_token_id", ["<eos>"], "ERR_INVALID_TYPE"],
    ["tie_word_embeddings", "yes", "ERR_INVALID_TYPE"],
  ])("%s: %j", (key, value, expected) => {
    expect(() => parse({ ...tiny, [key]: value })).toThrow(code(expected));
  });

  test("a quantised multimodal checkpoint", () => {
    const nested = { model_type: "gemma3", text_config: tiny };
    expect(parse(nested).config.generation).toBe(3);
    const quantised = { ...nested, quantization_config: { bits: 4 } };
    expect(() => parse(quantised)).toThrow(code("ERR_UNSUPPORTED_OPTION"));
  });

  test("unknown keys are named in a note, prototypes stay clean", () => {
    const text = JSON.stringify(tiny).replace("{", '{"__proto__": {"polluted": true}, "new_thing": 1, ');
    expect(parseHfConfig(text).notes).toEqual([expect.stringContaining("__proto__, new_thing")]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
