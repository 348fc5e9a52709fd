import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { dialogueOf } from "./dialogue.js";
import { disk as tree } from "./files.js";

const root = mkdtempSync(join(tmpdir(), "gemma-dialogue-"));
afterAll(() => rmSync(root, { recursive: true }));

const GEMMAS = "{{ bos_token }}<start_of_turn>user\n…<end_of_turn>";
const metadata = new Map<string, string>();

function folder(name: string, files: Record<string, string>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}
const hf = (path: string) => dialogueOf({ path, tree, naming: "hf", metadata });

test("a GGUF file says it in its metadata", () => {
  const gguf = (value?: string) =>
    dialogueOf({
      path: "x-it.gguf",
      tree,
      naming: "gguf",
      metadata: new Map(value === undefined ? [] : [["tokenizer.chat_template", value]]),
    });
  expect(gguf()).toEqual({ kind: "none" });
  expect(gguf(GEMMAS)).toEqual({ kind: "gemma" });
  expect(gguf("other")).toEqual({ kind: "template", template: "other" });
  expect(() =>
    dialogueOf({ path: "x", tree, naming: "gguf", metadata: new Map([["tokenizer.chat_template", 3]]) }),
  ).toThrow(expect.objectContaining({ code: "ERR_INVALID_TYPE" }));
});

test("a folder says it in chat_template.jinja, in its tokenizer's settings, or by its name", () => {
  const settings = (chat_template: unknown) => ({ "tokenizer_config.json": JSON.stringify({ chat_template }) });
  expect(hf(folder("a", {}))).toEqual({ kind: "none" });
  expect(hf(folder("a-it", {}))).toEqual({ kind: "gemma" });
  expect(hf(folder("b-it", { "tokenizer_config.json": "{}" }))).toEqual({ kind: "none" });
  expect(hf(folder("c", settings(GEMMAS)))).toEqual({ kind: "gemma" });
  expect(hf(folder("d", { ...settings(GEMMAS), "chat_template.jinja": "other" }))).toEqual({
    kind: "template",
    template: "other",
  });
  const several = [
    { name: "tools", template: "x" },
    { name: "default", template: "y" },
  ];
  expect(hf(folder("e", settings(several)))).toEqual({ kind: "template", template: "y" });
  expect(hf(folder("f", settings(null)))).toEqual({ kind: "none" });
});
