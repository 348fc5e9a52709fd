import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { Gemma } from "../../src/index.js";
import { realModelPath } from "./model-path.js";

// Equal seeds give equal ids in any batch and on any number of threads: int8 activations, sampled.
const TOKENS = 12;

const path = realModelPath();
const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: determinism of the native backend: ${available}`);

const prompts: readonly (readonly number[])[] = readFileSync(
  new URL("../fixtures/real270m/prompts.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).ids)
  .filter((ids) => ids.length <= 200)
  .slice(0, 8);

const opened: Gemma[] = [];
afterAll(() => Promise.all(opened.map((gemma) => gemma.dispose())));

async function open(threads: number): Promise<Gemma> {
  const gemma = await Gemma.load(path!, { threads, contextLength: 512, inProcess: true });
  opened.push(gemma);
  return gemma;
}

describe.skipIf(path === undefined || available !== true)("Gemma 3 270M, equal ids", () => {
  const run = async (gemma: Gemma, i: number) => {
    const options = { maxTokens: TOKENS, seed: i, ignoreEos: true };
    return (await gemma.generate({ ids: prompts[i]! }, options).result).ids;
  };

  test("alone, in one batch, from remembered prefixes; on 1 and 3 threads", { timeout: 120_000 }, async () => {
    const [one, three] = [await open(1), await open(3)];
    const alone = [];
    for (const i of prompts.keys()) alone.push(await run(one, i));
    expect(new Set(alone.map((ids) => ids.join())).size).toBeGreaterThan(prompts.length / 2);
    for (const gemma of [three, one, three]) {
      expect(await Promise.all([...prompts.keys()].map((i) => run(gemma, i)))).toEqual(alone);
    }
  });

  test("with and without prompt lookup, where a text repeats its prompt", { timeout: 120_000 }, async () => {
    const gemma = await open(2);
    let accepted = 0;
    for (const [i, phrase] of prompts.slice(0, 4).entries()) {
      const ids = [...phrase, ...phrase.slice(1), ...phrase.slice(1, 5)];
      const options = { maxTokens: 2 * TOKENS, seed: i, temperature: i % 2, ignoreEos: true, logprobs: 1 };
      const [plain, guessed] = [
        await gemma.generate({ ids }, { ...options, promptLookup: false }).result,
        await gemma.generate({ ids }, options).result,
      ];
      expect([guessed.ids, guessed.logprobs]).toEqual([plain.ids, plain.logprobs]);
      accepted += guessed.timings.acceptedTokens;
    }
    expect(accepted).toBeGreaterThan(0);
  });
});
