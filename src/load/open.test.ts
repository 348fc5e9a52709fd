import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { type BadCase, badCases, expectCase } from "../../test/bad-cases.js";
import { loadVocabulary, openCheckpoint } from "./open.js";
import { openAdapter } from "./open-adapter.js";

const fixtures = fileURLToPath(new URL("../../test/fixtures/", import.meta.url));
const bad = (path: string) => join(fixtures, "bad", path);
const temporary = mkdtempSync(join(tmpdir(), "gemma-open-"));
afterAll(() => rmSync(temporary, { recursive: true }));

/** Everything that loading would check, without a backend. */
function openFully(path: string): void {
  const checkpoint = openCheckpoint(path);
  try {
    if (checkpoint.tokenizer !== null) loadVocabulary(checkpoint);
  } finally {
    checkpoint.close();
  }
}

function openAdapterCase(folder: string): void {
  const base = openCheckpoint(join(folder, "base"));
  base.close();
  openAdapter(join(folder, "adapter"), base.config).close();
}

describe("malformed checkpoints and their controls", () => {
  test.each(badCases("models").map((badCase) => [badCase.id, badCase] as const))("%s", (_, badCase: BadCase) => {
    const open = badCase.id.startsWith("adapter/") ? openAdapterCase : openFully;
    expectCase(badCase, () => open(bad(badCase.path)));
  });
});

test("a Hugging Face model opens by folder, by index and by its safetensors file", () => {
  const folder = join(fixtures, "tiny/gemma3");
  const single = openCheckpoint(folder);
  const byFile = openCheckpoint(join(folder, "model.safetensors"));
  const sharded = openCheckpoint(join(folder, "bf16"));
  const byIndex = openCheckpoint(join(folder, "bf16/model.safetensors.index.json"));
  for (const checkpoint of [single, byFile, sharded, byIndex]) {
    expect(checkpoint.config).toEqual(single.config);
    expect(checkpoint.tensors.map(({ info }) => info.name)).toEqual(single.tensors.map(({ info }) => info.name));
    expect(checkpoint.tokenizer).toBeNull();
    expect(() => loadVocabulary(checkpoint)).toThrow(/tokenizer\.model/);
    checkpoint.close();
  }
  expect(new Set(single.tensors.map(({ dtype }) => dtype))).toEqual(new Set(["F32"]));
  expect(new Set(sharded.tensors.map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
});

test("a multimodal checkpoint gives its text tower and says what it skips", () => {
  const checkpoint = openCheckpoint(join(fixtures, "tiny/gemma3-mm"));
  checkpoint.close();
  expect(checkpoint.notes).toEqual([expect.stringContaining("vision tensors are skipped")]);
  expect(checkpoint.tensors[0]!.info.name).toBe("language_model.model.embed_tokens.weight");
  expect(checkpoint.config.eosTokenIds).toEqual([1, 106]);
});

test("a GGUF file opens by name, or by a folder that has just one; its vocabulary comes with it", () => {
  const file = join(fixtures, "gguf/models/gemma3.q8_0.gguf");
  const folder = join(temporary, "one");
  mkdirSync(folder);
  copyFileSync(file, join(folder, "model.gguf"));
  const checkpoint = openCheckpoint(folder);
  expect(checkpoint.naming).toBe("gguf");
  expect(loadVocabulary(checkpoint).size).toBe(checkpoint.config.vocabSize);
  checkpoint.close();
  copyFileSync(file, join(folder, "second.gguf"));
  expect(() => openCheckpoint(folder)).toThrow(/must have one GGUF file, got 2/);
});

test("files in the place of weights are named for what they are", () => {
  const pickled = join(temporary, "pickled");
  mkdirSync(pickled);
  writeFileSync(join(pickled, "config.json"), "{}");
  writeFileSync(join(pickled, "pytorch_model.bin"), "");
  expect(() => openCheckpoint(pickled)).toThrow(expect.objectContaining({ code: "ERR_FORBIDDEN_FORMAT" }));

  const renamed = join(temporary, "model.gguf");
  writeFileSync(renamed, Buffer.from("8002580100000061", "hex"));
  expect(() => openCheckpoint(renamed)).toThrow(expect.objectContaining({ code: "ERR_FORBIDDEN_FORMAT" }));

  const page = join(temporary, "page.gguf");
  writeFileSync(page, "<!DOCTYPE html><title>Sign in</title>");
  expect(() => openCheckpoint(page)).toThrow(/a web page/);

  expect(() => openCheckpoint(join(temporary, "absent.gguf"))).toThrow(
    expect.objectContaining({ code: "ERR_MISSING_FILE" }),
  );
});

test("a part of a split GGUF is refused as that, though only the first part has a configuration", () => {
  // Version 3, no tensors, one pair: split.count = 3 (type 2, u16).
  const header = Buffer.alloc(24);
  header.write("GGUF");
  header.writeUInt32LE(3, 4);
  header.writeBigUInt64LE(1n, 16);
  const pair = Buffer.from([11, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from("split.count"), 2, 0, 0, 0, 3, 0]);
  const part = join(temporary, "model-00002-of-00003.gguf");
  writeFileSync(part, Buffer.concat([header, pair]));
  expect(() => openCheckpoint(part)).toThrow(
    expect.objectContaining({ code: "ERR_UNSUPPORTED_OPTION", message: expect.stringContaining("split into 3") }),
  );
});

test("an adapter saved as a pickle is refused, one for a larger base does not fit", () => {
  const base = openCheckpoint(join(fixtures, "tiny/gemma1-mqa"));
  base.close();
  expect(() => openAdapter(join(fixtures, "tune/gemma3/adapter"), base.config)).toThrow(
    expect.objectContaining({ code: "ERR_BASE_MISMATCH" }),
  );
  const folder = join(temporary, "run", "adapter");
  cpSync(join(fixtures, "tune/gemma1-mqa/adapter"), folder, { recursive: true });
  expect(() => openAdapter(join(temporary, "run"), base.config)).toThrow(
    expect.objectContaining({ code: "ERR_MISSING_FILE", hint: expect.stringContaining(folder) }),
  );
  rmSync(join(folder, "adapter_model.safetensors"));
  expect(() => openAdapter(folder, base.config)).toThrow(expect.objectContaining({ code: "ERR_MISSING_FILE" }));
  writeFileSync(join(folder, "adapter_model.bin"), "");
  expect(() => openAdapter(folder, base.config)).toThrow(expect.objectContaining({ code: "ERR_FORBIDDEN_FORMAT" }));
});

test("weights behind a symbolic link open, as in Hugging Face's own cache", () => {
  const folder = join(temporary, "linked");
  mkdirSync(folder);
  for (const name of ["config.json", "model.safetensors"]) {
    symlinkSync(join(fixtures, "bad/hf/control", name), join(folder, name));
  }
  openFully(folder);
});
