import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import type { GgufValue } from "../format/gguf-values.js";
import { parseGgufConfig } from "./config-gguf.js";
import { parseHfConfig } from "./config-hf.js";
import { gemma2_27b, gemma3_27b, gemma3_270m } from "./variants.js";

const fixture = (path: string) => readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url));
const code = (expected: string) => expect.objectContaining({ code: expected });

test.each(["gemma1-mqa", "gemma2", "gemma3", "gemma3-scaled"])(
  "%s: the metadata say what the config.json of the same model says",
  (name) => {
    const { metadata } = parseGguf(bytesSource(name, fixture(`gguf/models/${name}.q8_0.gguf`)));
    const wanted = parseHfConfig(fixture(`gguf/models/${name}.config.json`)).config;
    expect(parseGgufConfig(metadata, name)).toEqual({
      ...wanted,
      rmsNormEps: Math.fround(wanted.rmsNormEps), // stored as f32
      eosTokenIds: [1],
    });
  },
);

/** Metadata of a Gemma 3 file; a real converter's keys. */
function gemma3(overrides: Record<string, GgufValue | undefined> = {}): Map<string, GgufValue> {
  const entries: Record<string, GgufValue | undefined> = {
    "general.architecture": "gemma3",
    "gemma3.context_length": 32768,
    "gemma3.embedding_length": 640,
    "gemma3.block_count": 18,
    "gemma3.feed_forward_length": 2048,
    "gemma3.attention.head_count": 4,
    "gemma3.attention.head_count_kv": 1,
    "gemma3.attention.key_length": 256,
    "gemma3.attention.value_length": 256,
    "gemma3.attention.layer_norm_rms_epsilon": 1e-6,
    "gemma3.attention.sliding_window": 512,
    "gemma3.rope.freq_base": 1_000_000,
    "gemma3.vocab_size": 262_144,
    "tokenizer.ggml.bos_token_id": 2,
    "tokenizer.ggml.eos_token_id": 1,
    "tokenizer.ggml.eot_token_id": 106,
    ...overrides,
  };
  return new Map(Object.entries(entries).filter((entry): entry is [string, GgufValue] => entry[1] !== undefined));
}

test("gemma-3-270m", () => {
  expect(parseGgufConfig(gemma3(), "x.gguf")).toEqual(gemma3_270m);
});

test("the 27B sizes are told by their layers, for their attention scale", () => {
  const sizes = {
    "gemma3.embedding_length": 5376,
    "gemma3.block_count": 62,
    "gemma3.attention.head_count": 32,
    "gemma3.attention.head_count_kv": 16,
    "gemma3.attention.key_length": 128,
    "gemma3.attention.value_length": 128,
    "gemma3.rope.scaling.type": "linear",
    "gemma3.rope.scaling.factor": 8,
  };
  const config = parseGgufConfig(gemma3(sizes), "x.gguf");
  expect(config.queryPreAttnScalar).toBe(gemma3_27b.queryPreAttnScalar);
  expect(config.layerTypes).toEqual(gemma3_27b.layerTypes);
  expect(config.ropeScalingFactor).toBe(8);
  expect(gemma2_27b.queryPreAttnScalar).toBe(144);
});

test("a layer pattern may be a period or a list", () => {
  const period = parseGgufConfig(gemma3({ "gemma3.attention.sliding_window_pattern": 3 }), "x.gguf");
  expect(period.layerTypes.slice(0, 6)).toEqual(["sliding", "sliding", "full", "sliding", "sliding", "full"]);
  const list = Uint8Array.from({ length: 18 }, (_, i) => (i === 17 ? 0 : 1));
  const listed = parseGgufConfig(gemma3({ "gemma3.attention.sliding_window_pattern": list }), "x.gguf");
  expect(listed.layerTypes.filter((type) => type === "full")).toHaveLength(1);
});

test.each([
  [{ "general.architecture": "llama" }, "ERR_UNSUPPORTED_ARCH"],
  [{ "general.architecture": undefined }, "ERR_MISSING_KEY"],
  [{ "gemma3.rope.freq_base": undefined }, "ERR_MISSING_KEY"],
  [{ "gemma3.attention.sliding_window": undefined }, "ERR_MISSING_KEY"],
  [{ "gemma3.vocab_size": undefined }, "ERR_MISSING_KEY"],
  [{ "gemma3.block_count": 4_294_967_295 }, "ERR_INVALID_VALUE"],
  [{ "gemma3.attention.head_count": 0 }, "ERR_INVALID_VALUE"],
  [{ "gemma3.attention.value_length": 128 }, "ERR_INVALID_VALUE"],
  [{ "gemma3.attention.sliding_window_pattern": 0 }, "ERR_INVALID_VALUE"],
  [{ "gemma3.attention.head_count": "4" }, "ERR_INVALID_TYPE"],
  [{ "gemma3.rope.scaling.type": "yarn" }, "ERR_UNSUPPORTED_OPTION"],
  [{ "gemma3.context_length": 2n ** 60n }, "ERR_INVALID_VALUE"],
  [{ "tokenizer.ggml.tokens": new Float32Array(3) }, "ERR_INVALID_TYPE"],
])("refused: %o", (overrides, expected) => {
  expect(() => parseGgufConfig(gemma3(overrides), "x.gguf")).toThrow(code(expected));
});
