import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";

const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;
let gemma: Gemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, { ...options, adapters: { tuned: TINY.adapter } });
});
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true });
  await gemma.dispose();
});

const prompt = { ids: [2, 5, 9, 33, 70] };
const run = (adapter?: string) => gemma.score(prompt, { top: 3, ...(adapter ? { adapter } : {}) });

test("requests choose; one batch computes with and without it as if alone", async () => {
  const [base, tuned] = [await run(), await run("tuned")];
  expect(tuned.logprobs).not.toEqual(base.logprobs);
  expect(await Promise.all([run("tuned"), run(), run("tuned"), run()])).toEqual([tuned, base, tuned, base]);
});

test("removing one: requests under way finish with it, waiting ones too; new ones cannot choose it", async () => {
  const base = await run();
  await gemma.addAdapter("extra", TINY.adapter);
  expect(gemma.adapters).toEqual(["tuned", "extra"]);
  const long = { temperature: 0, maxTokens: 100, ignoreEos: true };
  const wanted = (await gemma.generate(prompt, { ...long, adapter: "tuned" }).result).ids;
  const running = gemma.generate(prompt, { ...long, adapter: "extra" });
  const waiting: Promise<{ readonly ids: readonly number[] }>[] = [];
  for await (const _ of running) {
    if (waiting.length > 0) continue;
    for (let i = 0; i < 20; i++)
      waiting.push(gemma.generate(prompt, { ...long, maxTokens: 2, adapter: "extra" }).result);
    await gemma.removeAdapter("extra");
    await expect(run("extra")).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
  }
  expect((await running.result).ids).toEqual(wanted);
  for (const { ids } of await Promise.all(waiting)) expect(ids).toEqual(wanted.slice(0, 2));
  await expect(gemma.removeAdapter("extra")).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
  expect(gemma.adapters).toEqual(["tuned"]);
  expect(await run()).toEqual(base);
});

test("removed while a request's grammar is compiled: the request has it", async () => {
  await gemma.addAdapter("extra", TINY.adapter);
  const options = { temperature: 0, maxTokens: 4, jsonSchema: { type: "object" }, adapter: "extra" };
  const early = gemma.generate(prompt, options).result;
  await gemma.removeAdapter("extra");
  expect((await early).ids).toHaveLength(4);
  await gemma.addAdapter("extra", TINY.adapter);
  const refused = gemma.generate(prompt, { ...options, jsonSchema: { type: "strange" } }).result;
  await expect(refused).rejects.toMatchObject({ code: "ERR_SCHEMA" });
  await gemma.removeAdapter("extra");
});

/** A copy of the adapter's folder, with another scale, and the weights cut off behind `bytes`. */
function adapterFolder(scale: number, bytes = Infinity): string {
  const folder = mkdtempSync(join(tmpdir(), "gemma-adapter-"));
  folders.push(folder);
  const config = JSON.parse(readFileSync(join(TINY.adapter, "adapter_config.json"), "utf8"));
  const changed = JSON.stringify({ ...config, lora_alpha: scale * config.lora_alpha });
  writeFileSync(join(folder, "adapter_config.json"), changed);
  const weights = readFileSync(join(TINY.adapter, "adapter_model.safetensors"));
  writeFileSync(join(folder, "adapter_model.safetensors"), weights.subarray(0, bytes));
  return folder;
}

test.each([
  ["cut off in its header", 20, "ERR_TRUNCATED"],
  ["cut off in its weights", 4000, "ERR_TRUNCATED"],
])("a folder whose file is %s is an error, and changes nothing", async (_, bytes, code) => {
  const [base, tuned] = [await run(), await run("tuned")];
  await expect(gemma.addAdapter("tuned", adapterFolder(3, bytes))).rejects.toMatchObject({ name: "GemmaError", code });
  await expect(gemma.addAdapter("new", adapterFolder(3, bytes))).rejects.toMatchObject({ name: "GemmaError", code });
  await expect(run("new")).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
  expect([await run(), await run("tuned")]).toEqual([base, tuned]);
});

test.each([
  ["a name that is not loaded", () => run("unknown"), "ERR_UNKNOWN_MODEL"],
  ["removing it", () => gemma.removeAdapter("unknown"), "ERR_UNKNOWN_MODEL"],
  ["no such folder", () => gemma.addAdapter("x", "./no/such/folder"), "ERR_MISSING_FILE"],
])("%s is an error", async (_, call, code) => {
  await expect(call()).rejects.toMatchObject({ code });
});

test("another adapter under the same name: nothing remembered of the old one is used, with any salt", async () => {
  const folder = adapterFolder(2);
  await gemma.addAdapter("stronger", folder);
  const run = async (adapter: string, cacheSalt = "") => {
    const ids = Array.from({ length: 40 }, (_, i) => 5 + i); // fills pages
    const options = { maxTokens: 4, temperature: 0, ignoreEos: true, logprobs: 2, adapter, cacheSalt };
    return gemma.generate({ ids }, options).result;
  };
  const wanted = await run("stronger");
  expect((await run("tuned")).logprobs).not.toEqual(wanted.logprobs);
  await run("tuned", "salt");
  await gemma.addAdapter("tuned", folder);
  for (const salt of ["", "salt"]) {
    const { logprobs, timings } = await run("tuned", salt);
    expect(logprobs).toEqual(wanted.logprobs);
    expect(timings.cachedTokens).toBe(0);
  }
});

test("an adapter's folder says how it was tuned: its chat template, how its answers are drawn", async () => {
  const folder = adapterFolder(1);
  writeFileSync(join(folder, "chat_template.jinja"), "{% for m in messages %}{{ m.content }}!{% endfor %}");
  writeFileSync(join(folder, "generation_config.json"), '{"temperature": 0}');
  const own = await Gemma.load(TINY.gemma3, { ...options, adapters: { tuned: TINY.adapter, exclaims: folder } });
  expect([own.chatStyle(), own.chatStyle("tuned"), own.chatStyle("exclaims")]).toEqual(["qa", "qa", "template"]);
  const messages = [{ role: "user", content: "the quick" }] as const;
  const length = async (text: string) => (await own.encodePrompt(text)).length;
  expect(await own.countTokens(messages, { adapter: "exclaims" })).toBe(await length("the quick!"));
  expect(await own.countTokens(messages)).toBe(await length("Question: the quick\nAnswer:"));
  const answer = async (seed: number) =>
    (await own.answer(messages, { adapter: "exclaims", maxTokens: 1, ignoreEos: true, seed }).result).ids;
  const likeliest = await own.generate("the quick!", {
    adapter: "exclaims",
    maxTokens: 1,
    ignoreEos: true,
    temperature: 0,
  }).result;
  expect([await answer(1), await answer(2)]).toEqual([likeliest.ids, likeliest.ids]);
  await own.dispose();
});
