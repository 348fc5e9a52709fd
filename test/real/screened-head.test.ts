import { afterAll, describe, expect, test } from "vitest";
import type { Gemma } from "../../src/index.js";
import { canRun, OpenModels, shortPrompts } from "./native-model.js";

// A step that reads only what it needs of the head gives the tokens of one that reads all of it.

const prompts = shortPrompts(6);
const models = new OpenModels();
afterAll(() => models.dispose());

describe.skipIf(!canRun)("Gemma 3 270M, screened head", () => {
  test("equal ids with and without, greedy and sampled, alone and in a batch", { timeout: 240_000 }, async () => {
    const [off, on] = [await models.open(2, false), await models.open(2, true)];
    expect([off.info.headIsScreened, on.info.headIsScreened]).toEqual([false, true]);
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
