import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gemma } from "./gemma.js";

const fixture = (path: string) => fileURLToPath(new URL(`../../test/fixtures/${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gemma-template-"));
const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 128 } as const;
const TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:";

let gemma: Gemma;
beforeAll(async () => {
  for (const file of ["config.json", "model.safetensors"]) cpSync(fixture(`tiny/gemma3/${file}`), join(folder, file));
  cpSync(fixture("tokenizer/tiny-spm/tokenizer.model"), join(folder, "tokenizer.model"));
  writeFileSync(join(folder, "chat_template.jinja"), TEMPLATE);
  gemma = await Gemma.load(folder, options);
});
afterAll(async () => {
  await gemma.dispose();
  rmSync(folder, { recursive: true });
});

test("a checkpoint with a template of its own chats in it, one BOS in front", async () => {
  expect(gemma.info.chatStyle).toBe("template");
  const jsonSchema = { enum: ["yes", "no"] }; // the model has more rows than this vocabulary tokens
  const chat = gemma.chat({ system: "Brief." });
  const first = await chat.send("Hi?", { seed: 1, jsonSchema }).result;
  expect(first.text).toMatch(/^"(yes|no)"$/);
  const written = await gemma.encode("system: Brief.\nuser: Hi?\nassistant:");
  expect(first.timings.promptTokens).toBe(1 + written.length);
  expect((await chat.send("Sure?", { seed: 2, jsonSchema }).result).text).toMatch(/^"(yes|no)"$/);
  expect(chat.messages).toHaveLength(5);
});

test("other styles can be chosen, a template only where there is one", async () => {
  const jsonSchema = { type: "boolean" };
  expect(await gemma.chat({ style: "qa" }).send("Hi?", { jsonSchema }).text()).toMatch(/^(true|false)$/);
  rmSync(join(folder, "chat_template.jinja"));
  const plain = await Gemma.load(folder, options);
  const refused = plain.chat({ style: "template" }).send("Hi?").result;
  await expect(refused).rejects.toMatchObject({ code: "ERR_USAGE" });
  await plain.dispose();
});
