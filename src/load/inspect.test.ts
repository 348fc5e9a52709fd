import { copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { type BadCase, badCases, expectCase } from "../../test/bad-cases.js";
import { inspectPath } from "./inspect.js";

const fixtures = fileURLToPath(new URL("../../test/fixtures/", import.meta.url));
const bad = (path: string) => join(fixtures, "bad", path);
const temporary = mkdtempSync(join(tmpdir(), "gemma-inspect-"));
afterAll(() => rmSync(temporary, { recursive: true }));

function inspectCase({ id, path }: BadCase) {
  return id.startsWith("adapter/")
    ? inspectPath(join(bad(path), "adapter"), join(bad(path), "base"))
    : inspectPath(bad(path));
}

const cases = ["gguf", "safetensors", "models", "tokenizer"].flatMap((format) => [...badCases(format)]);

describe("malformed files and their controls", () => {
  test.each(cases.map((badCase) => [badCase.id, badCase] as const))("%s", (_, badCase) => {
    expectCase(badCase, () => inspectCase(badCase));
  });
});

test("what a path is taken for", () => {
  const kinds = (path: string) => {
    const { kind, format, tensors, vocabulary } = inspectPath(join(fixtures, path));
    return [kind, format, tensors.size > 0, vocabulary !== null];
  };
  expect(kinds("gguf/models/gemma3.q8_0.gguf")).toEqual(["model", "gguf", true, true]);
  expect(kinds("tiny/gemma3")).toEqual(["model", "safetensors", true, false]);
  expect(kinds("tiny/gemma3/model.safetensors")).toEqual(["model", "safetensors", true, false]);
  expect(kinds("tiny/gemma3/bf16/model.safetensors.index.json")).toEqual(["model", "safetensors", true, false]);
  expect(kinds("tiny/gemma3/expected.safetensors")).toEqual(["container", "safetensors", true, false]);
  expect(kinds("bad/gguf/control-no-tensors.gguf")).toEqual(["container", "gguf", false, false]);
  expect(kinds("tokenizer/tiny-spm")).toEqual(["tokenizer", "tokenizer", false, true]);
  expect(kinds("tokenizer/tiny-spm/tokenizer.model")).toEqual(["tokenizer", "tokenizer", false, true]);
});

test("an index or a model file without its config.json is checked as a container", () => {
  const folder = join(temporary, "shards");
  mkdirSync(folder);
  cpSync(bad("index/control"), folder, { recursive: true });
  rmSync(join(folder, "config.json"));
  expect(inspectPath(join(folder, "model.safetensors.index.json"))).toMatchObject({ kind: "container", model: null });
  rmSync(join(folder, "model-00002-of-00002.safetensors"));
  expect(() => inspectPath(join(folder, "model.safetensors.index.json"))).toThrow(/00002/);
  copyFileSync(bad("hf/control/model.safetensors"), join(folder, "model.safetensors"));
  expect(inspectPath(join(folder, "model.safetensors"))).toMatchObject({ kind: "container", model: null });
});

test("a model file of any name beside its config.json is checked as loading does; a shard is none", () => {
  const folder = join(temporary, "named");
  cpSync(bad("hf/control"), folder, { recursive: true });
  renameSync(join(folder, "model.safetensors"), join(folder, "foo.safetensors"));
  expect(inspectPath(join(folder, "foo.safetensors"))).toMatchObject({ kind: "model" });
  const shard = "model-00001-of-00002.safetensors";
  copyFileSync(bad(`index/control/${shard}`), join(folder, shard));
  expect(inspectPath(join(folder, shard))).toMatchObject({ kind: "container", model: null });
  copyFileSync(join(folder, shard), join(folder, "foo.safetensors"));
  expect(() => inspectPath(join(folder, "foo.safetensors"))).toThrow(
    expect.objectContaining({ code: "ERR_MISSING_TENSOR" }),
  );
});

test("an adapter needs its base, and is counted against it", () => {
  const adapter = join(fixtures, "tune/gemma3/adapter");
  expect(() => inspectPath(adapter)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
  const found = inspectPath(adapter, join(fixtures, "tiny/gemma3"));
  expect(found.kind).toBe("adapter");
  const pairs = found.adapter?.layers.reduce((sum, layer) => sum + layer.size, 0);
  expect(pairs).toBe(found.tensors.size / 2);
  expect(() => inspectPath(adapter, join(fixtures, "tiny/gemma1-mqa"))).toThrow(
    expect.objectContaining({ code: "ERR_BASE_MISMATCH" }),
  );
});

test("a chat template that loading would refuse is refused here", () => {
  const folder = join(temporary, "template");
  cpSync(bad("hf/control"), folder, { recursive: true });
  expect(inspectPath(folder).kind).toBe("model");
  writeFileSync(join(folder, "tokenizer_config.json"), '{"chat_template": 3}');
  expect(() => inspectPath(folder)).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
});
