import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { Gemma } from "../../src/index.js";
import { realModelPath } from "./model-path.js";

// A step that reads only what it needs of the head gives the tokens of one that reads all of it.

const path = realModelPath();
const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: the native backend's screened head: ${available}`);

const prompts: readonly (readonly number[])[] = readFileSync(
  new URL("../fixtures/real270m/prompts.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).ids)
  .filter((ids) => ids.length <= 200)
  .slice(0, 6);

const opened: Gemma[] = [];
afterAll(() => Promise.all(opened.map((gemma) => gemma.dispose())));

async function open(screenHead: boolean, threads: number): Promise<Gemma> {
  const gemma = await Gemma.load(path!, { threads, contextLength: 512, screenHead, inProcess: true });
  opened.push(gemma);
  expect(gemma.info.headIsScreened).toBe(screenHead);
  return gemma;
}

describe.skipIf(path === undefined || available !== true)("Gemma 3 270M, screened head", () => {
  test("equal ids with and without, greedy and sampled, alone and in a batch", { timeout: 240_000 }, async () => {
    const [off, on] = [await open(false, 2), await open(true, 2)];
    const settings = [{ temperature: 0 }, { seed: 1 }, { seed: 2, temperature: 0.7, topK: 20, minP: 0.02, topP: 1 }];
    const run = async (gemma: Gemma, i: number) => {
      const options = { maxTokens: 24, ignoreEos: true, ...settings[i % settings.length]! };
      return (await gemma.generate({ ids: prompts[i]! }, options).result).ids;
    };
    const expected = [];
    const alone = [];
    for (const i of prompts.keys()) {
      expected.push(await run(off, i));
      alone.push(await run(on, i));
    }
    expect(alone).toEqual(expected);
    expect(await Promise.all([...prompts.keys()].map((i) => run(on, i)))).toEqual(expected);
    const withLogProbs = await on.generate(
      { ids: prompts[0]! },
      { temperature: 0, maxTokens: 24, logprobs: 0, ignoreEos: true },
    ).result;
    expect(withLogProbs.ids).toEqual(expected[0]);
  });
});
