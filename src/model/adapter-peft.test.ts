import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.js";
import { bytesSource } from "../format/byte-source.js";
import { parseSafetensors } from "../format/safetensors.js";
import type { TensorInfo } from "../format/tensor-info.js";
import { freeAdapter, loadAdapter, parsePeftAdapter } from "./adapter-peft.js";
import { parseAdapterConfig } from "./adapter-peft-config.js";
import { parseHfConfig } from "./config-hf.js";

const fixture = (path: string) => readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url));
const code = (expected: string) => expect.objectContaining({ code: expected });

const base = parseHfConfig(fixture("tiny/gemma3/config.json")).config;
const configJson = fixture("tune/gemma3/adapter/adapter_config.json").toString();
const { tensors } = parseSafetensors(bytesSource("adapter", fixture("tune/gemma3/adapter/adapter_model.safetensors")));

function parse(changes: object = {}, stored: ReadonlyMap<string, TensorInfo> = tensors) {
  return parsePeftAdapter(JSON.stringify({ ...JSON.parse(configJson), ...changes }), stored, base, "adapter");
}

/** The tensors under other names; undefined drops one. */
function renamed(name: (old: string) => string | undefined): ReadonlyMap<string, TensorInfo> {
  const entries = [...tensors.values()].flatMap((info) => {
    const to = name(info.name);
    return to === undefined ? [] : [[to, { ...info, name: to }] as const];
  });
  return new Map(entries);
}

test("seven pairs in every layer, with the scale of the configuration", () => {
  const { layers } = parse();
  expect(layers).toHaveLength(base.numHiddenLayers);
  for (const pairs of layers) {
    expect([...pairs.keys()].sort()).toEqual(["down", "gate", "k", "o", "q", "up", "v"]);
    for (const pair of pairs.values()) expect(pair.scale).toBe(16 / 8);
  }
  expect(parse({ use_rslora: true }).layers[0]!.get("q")!.scale).toBeCloseTo(16 / Math.sqrt(8), 12);
});

test("patterns by module name: the first that matches counts, as in PEFT", () => {
  const { layers } = parse({ alpha_pattern: { "layers.1.self_attn.q_proj": 4, v_proj: 32 } });
  expect(layers[0]!.get("q")!.scale).toBe(2);
  expect(layers[1]!.get("q")!.scale).toBe(0.5);
  expect(layers[1]!.get("v")!.scale).toBe(4);
  const config = parseAdapterConfig(
    '{"peft_type":"LORA","r":2,"lora_alpha":2,"target_modules":["q_proj"],"rank_pattern":{"q_proj":5}}',
    "x",
  );
  expect(config.forModule("layers.3.self_attn.q_proj")).toEqual({ rank: 5, scale: 2 / 5 });
});

test("names of adapters that were trained on a multimodal checkpoint", () => {
  for (const prefix of ["language_model.model.", "model.language_model."]) {
    const stored = renamed((old) => old.replace("base_model.model.model.", `base_model.model.${prefix}`));
    expect(parse({}, stored).layers[0]!.size).toBe(7);
  }
});

test("target modules given as a pattern: the tensors tell", () => {
  const stored = renamed((old) => (old.includes("q_proj") ? old : undefined));
  expect(parse({ target_modules: ".*q_proj" }, stored).layers[6]!.size).toBe(1);
});

describe("what is refused", () => {
  test.each([
    [{ use_dora: true }, "ERR_UNSUPPORTED_OPTION"],
    [{ modules_to_save: ["embed_tokens"] }, "ERR_UNSUPPORTED_OPTION"],
    [{ bias: "lora_only" }, "ERR_UNSUPPORTED_OPTION"],
    [{ lora_bias: true }, "ERR_UNSUPPORTED_OPTION"],
    [{ some_new_variant: true }, "ERR_UNSUPPORTED_OPTION"],
    [{ peft_type: "IA3" }, "ERR_UNSUPPORTED_OPTION"],
    [{ rank_pattern: { "(a+)+$": 4 } }, "ERR_UNSUPPORTED_OPTION"],
    [{ rank_pattern: { q_proj: 4 } }, "ERR_SHAPE_MISMATCH"],
    [{ r: 1.5 }, "ERR_INVALID_TYPE"],
    [{ target_modules: ["q_proj", "embed_tokens"] }, "ERR_BASE_MISMATCH"],
    [{ target_modules: [7] }, "ERR_INVALID_TYPE"],
  ])("%o", (changes, expected) => {
    expect(() => parse(changes)).toThrow(code(expected));
  });

  test.each([
    ["a layer that the base has not", (old: string) => old.replace("layers.6.", "layers.7."), "ERR_BASE_MISMATCH"],
    [
      "a layer without its pair",
      (old: string) => (old.includes("layers.6.mlp.up") ? undefined : old),
      "ERR_MISSING_TENSOR",
    ],
    ["another module", (old: string) => old.replace("self_attn.q_proj", "self_attn.qkv"), "ERR_BASE_MISMATCH"],
    ["no tensors", () => undefined, "ERR_MISSING_TENSOR"],
  ])("%s", (_, rename, expected) => {
    expect(() => parse({}, renamed(rename))).toThrow(code(expected));
  });

  test("hostile sizes, at once", () => {
    const start = performance.now();
    const long = `base_model.model.${"layers.1.".repeat(100_000)}`;
    expect(() =>
      parse(
        {},
        renamed((old) => (old.includes("layers.0.mlp.up") ? long : old)),
      ),
    ).toThrow(code("ERR_BASE_MISMATCH"));
    const patterns = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`m${i}`, 8]));
    expect(() => parse({ rank_pattern: patterns })).toThrow(code("ERR_LIMIT_EXCEEDED"));
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("integers", () => {
    const stored = new Map([...tensors].map(([name, info]) => [name, { ...info, dtype: "I32" }]));
    expect(() => parse({}, stored)).toThrow(code("ERR_INVALID_DTYPE"));
  });
});

test("an adapter goes to a backend and away again", async () => {
  const be = await referenceBackend.create({});
  const adapter = loadAdapter(be, "test", parse());
  const { a, b } = adapter.layers[0]!.get("down")!;
  expect([a.shape, b.shape]).toEqual([
    [8, 160],
    [64, 8],
  ]);
  const stored = tensors.get("base_model.model.model.layers.0.mlp.down_proj.lora_A.weight")!;
  const bytes = stored.source.read(stored.offset, 4);
  expect((await be.read(a))[0]).toBe(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true));
  freeAdapter(be, adapter);
  await expect((async () => be.read(a))()).rejects.toThrow();
  be.dispose();
});

test("an adapter that does not load to its end leaves nothing behind", async () => {
  const be = await referenceBackend.create({});
  const live = new Set<unknown>();
  const counting: typeof be = {
    ...be,
    tensor(dtype, shape) {
      if (live.size === 5) throw new Error("no more memory");
      const tensor = be.tensor(dtype, shape);
      live.add(tensor);
      return tensor;
    },
    free(handle) {
      live.delete(handle);
      be.free(handle);
    },
  };
  expect(() => loadAdapter(counting, "test", parse())).toThrow("no more memory");
  expect(live.size).toBe(0);
  be.dispose();
});
