import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { parseSafetensors } from "../format/safetensors.js";
import type { TensorInfo } from "../format/tensor-info.js";
import { checkConfig } from "./check-config.js";
import { parseHfConfig } from "./config-hf.js";
import { matchTensors } from "./match.js";
import { expectedTensors } from "./tensors.js";
import { VARIANTS, variantName } from "./variants.js";

const fixture = (path: string) => readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url));
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Parameters of each published size, from the sums of its safetensors index or model card. */
const PARAMETERS: Readonly<Record<string, number>> = {
  "gemma-2b": 2_506_172_416,
  "gemma-7b": 8_537_680_896,
  "gemma-1.1-2b": 2_506_172_416,
  "gemma-1.1-7b": 8_537_680_896,
  "gemma-2-2b": 2_614_341_888,
  "gemma-2-9b": 9_241_705_984,
  "gemma-2-27b": 27_227_128_320,
  "gemma-3-270m": 268_098_176,
  "gemma-3-1b": 999_885_952,
  "gemma-3-4b": 3_880_263_168,
  "gemma-3-12b": 11_766_034_176,
  "gemma-3-27b": 27_009_346_304,
};

test.each([...VARIANTS])("%s: the tensor table has as many parameters as the published model", (name, config) => {
  checkConfig(config, name);
  for (const naming of ["hf", "gguf"] as const) {
    const tensors = expectedTensors(config, naming);
    expect(new Set(tensors.map(({ storedName }) => storedName)).size).toBe(tensors.length);
    expect(tensors.some(({ storedName }) => storedName.includes("%"))).toBe(false);
    const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    expect(parameters).toBe(PARAMETERS[name]);
  }
  expect(variantName(config)).toBe(name.replace("-1.1", ""));
  for (const part of [config, config.layerTypes, config.eosTokenIds]) expect(Object.isFrozen(part)).toBe(true);
});

function hfModel(name: string) {
  const { config } = parseHfConfig(fixture(`tiny/${name}/config.json`));
  const { tensors } = parseSafetensors(bytesSource(name, fixture(`tiny/${name}/model.safetensors`)));
  return { config, tensors: new Map(tensors) };
}

test.each(["gemma1-mqa", "gemma1-mha", "gemma2", "gemma3"])("%s: the table is exactly the file's tensors", (name) => {
  const { config, tensors } = hfModel(name);
  const matched = matchTensors(config, tensors, { naming: "hf", where: name });
  expect(new Set(matched.map(({ info }) => info.name))).toEqual(new Set(tensors.keys()));
});

test.each(["gemma1-mqa", "gemma2", "gemma3"])("%s in GGUF: the same table", (name) => {
  const { tensors } = parseGguf(bytesSource(name, fixture(`gguf/models/${name}.q8_0.gguf`)));
  const { config } = hfModel(name);
  const matched = matchTensors(config, tensors, { naming: "gguf", where: name });
  expect(new Set(matched.map(({ info }) => info.name))).toEqual(new Set(tensors.keys()));
});

test("a stored head passes if it is tied or equal, a bias never", () => {
  const { config, tensors } = hfModel("gemma1-mqa");
  const embedding = tensors.get("model.embed_tokens.weight")!;
  const other = tensors.get("model.layers.0.mlp.gate_proj.weight")!;
  const match = (extra: readonly [string, TensorInfo][], tiedHead: boolean) =>
    matchTensors(config, new Map([...tensors, ...extra]), { naming: "hf", tiedHead, where: "x" });

  match([["lm_head.weight", other]], true); // transformers does not read it either
  match([["lm_head.weight", embedding]], false);
  const moved = { ...embedding, offset: embedding.offset - 4 };
  expect(() => match([["lm_head.weight", moved]], false)).toThrow(code("ERR_UNSUPPORTED_OPTION"));
  expect(() => match([], false)).toThrow(code("ERR_MISSING_TENSOR"));
  expect(() => match([["model.layers.0.self_attn.q_proj.bias", other]], true)).toThrow(code("ERR_UNSUPPORTED_OPTION"));
  match([["model.layers.0.self_attn.rotary_emb.inv_freq", other]], true);
  match([["vision_tower.vision_model.post_layernorm.bias", other]], true);
});

test("integer and unknown types are refused, norms also quantised ones", () => {
  const { config, tensors } = hfModel("gemma1-mqa");
  const match = (name: string, dtype: string) => {
    const changed = new Map(tensors);
    changed.set(name, { ...tensors.get(name)!, dtype });
    return matchTensors(config, changed, { naming: "hf", where: "x" });
  };
  expect(() => match("model.embed_tokens.weight", "I8")).toThrow(code("ERR_INVALID_DTYPE"));
  expect(() => match("model.embed_tokens.weight", "constructor")).toThrow(code("ERR_INVALID_DTYPE"));
  expect(() => match("model.norm.weight", "Q8_0")).toThrow(code("ERR_INVALID_DTYPE"));
  expect(() => match("model.embed_tokens.weight", "Q4_K")).toThrow(code("ERR_INVALID_DTYPE")); // 128 wide: half a block
});
