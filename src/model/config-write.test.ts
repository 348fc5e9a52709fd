import { describe, expect, it } from "vitest";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { ggufLayout, ggufPairs, u32 } from "../format/gguf-write.js";
import type { GemmaConfig } from "./config.js";
import { parseGgufConfig } from "./config-gguf.js";
import { ggufConfig } from "./config-gguf-write.js";
import { parseHfConfig } from "./config-hf.js";
import { hfConfig } from "./config-hf-write.js";
import { gemma2b, VARIANTS } from "./variants.js";

const readGguf = (config: GemmaConfig) => {
  const stated = ggufConfig(config, "test");
  const vocabKey = `${stated[0]![1] as string}.vocab_size`; // else it is the number of tokens
  const pairs = ggufPairs([...stated, [vocabKey, u32(config.vocabSize)]]);
  return parseGgufConfig(parseGguf(bytesSource("test", ggufLayout(pairs, []).header)).metadata, "test");
};

describe.each([...VARIANTS])("%s", (_, config) => {
  it("is the same from its config.json", () => {
    const read = parseHfConfig(JSON.stringify(hfConfig(config, "bfloat16", 0)));
    expect(read).toEqual({ config, tiedHead: true, notes: [] });
  });

  it("is the same from GGUF metadata, but for the ends of text, which are the tokenizer's", () => {
    const { eosTokenIds: _, ...rest } = config;
    expect(readGguf(config)).toMatchObject({ ...rest, rmsNormEps: Math.fround(config.rmsNormEps) });
  });
});

it("an epsilon that was an f32 is written as the number that was meant", () => {
  const json = hfConfig({ ...gemma2b, rmsNormEps: Math.fround(1e-6) }, "float32", undefined);
  expect(json).toMatchObject({ rms_norm_eps: 1e-6, torch_dtype: "float32" });
  expect(json).not.toHaveProperty("pad_token_id");
});
