import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";

let gemma: Gemma;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;
  gemma = await Gemma.load(TINY.gemma3, { ...options, adapters: { tuned: TINY.adapter } });
});
afterAll(() => gemma.dispose());

const prompt = { ids: [2, 5, 9, 33, 70] };
const run = (adapter?: string) => gemma.score(prompt, { top: 3, ...(adapter ? { adapter } : {}) });

test("requests choose; one batch computes with and without it as if alone", async () => {
  const [base, tuned] = [await run(), await run("tuned")];
  expect(tuned.logprobs).not.toEqual(base.logprobs);
  expect(await Promise.all([run("tuned"), run(), run("tuned"), run()])).toEqual([tuned, base, tuned, base]);
});

test("removing one fails the work under way with it, and no other", async () => {
  const base = await run();
  await gemma.addAdapter("extra", TINY.adapter);
  expect(gemma.adapters).toEqual(["tuned", "extra"]);
  const long = { temperature: 0, maxTokens: 100, ignoreEos: true };
  const doomed = gemma.generate(prompt, { ...long, adapter: "extra" });
  const bystander = gemma.generate(prompt, { ...long, adapter: "tuned" });
  const loop = (async () => {
    for await (const _ of doomed) await gemma.removeAdapter("extra").catch(() => {});
  })();
  await expect(loop).rejects.toMatchObject({ code: "ERR_DISPOSED", message: "adapter: extra was removed" });
  expect((await bystander.result).ids).toHaveLength(100);
  expect(gemma.adapters).toEqual(["tuned"]);
  expect(await run()).toEqual(base);
});

test.each([
  ["a name that is not loaded", () => run("unknown"), "ERR_UNKNOWN_MODEL"],
  ["removing it", () => gemma.removeAdapter("unknown"), "ERR_UNKNOWN_MODEL"],
  ["no such folder", () => gemma.addAdapter("x", "./no/such/folder"), "ERR_MISSING_FILE"],
])("%s is an error", async (_, call, code) => {
  await expect(call()).rejects.toMatchObject({ code });
});

test("another adapter under the same name: nothing remembered of the old one is used", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-adapter-"));
  const config = JSON.parse(readFileSync(join(TINY.adapter, "adapter_config.json"), "utf8"));
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify({ ...config, lora_alpha: 2 * config.lora_alpha }));
  copyFileSync(join(TINY.adapter, "adapter_model.safetensors"), join(folder, "adapter_model.safetensors"));
  await gemma.addAdapter("stronger", folder);
  const run = async (adapter: string) => {
    const ids = Array.from({ length: 40 }, (_, i) => 5 + i); // fills pages
    return gemma.generate({ ids }, { maxTokens: 4, temperature: 0, ignoreEos: true, logprobs: 2, adapter }).result;
  };
  const wanted = await run("stronger");
  expect((await run("tuned")).logprobs).not.toEqual(wanted.logprobs);
  await gemma.addAdapter("tuned", folder);
  expect((await run("tuned")).logprobs).toEqual(wanted.logprobs);
  rmSync(folder, { recursive: true });
});
