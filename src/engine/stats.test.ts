import { afterEach, expect, test, vi } from "vitest";
import { generate, score, tinyEngine } from "../../test/helpers/tiny-engine.js";
import { macrotask } from "../base/macrotask.js";
import { StepTimes } from "./draft-rows.js";
import type { Engine } from "./engine.js";
import type { GenerationCounts } from "./generate-job.js";
import type { EngineStats } from "./stats.js";

afterEach(() => vi.restoreAllMocks());

/** When the step is over that ended the last request. */
async function statsOf(engine: Engine): Promise<EngineStats> {
  await macrotask();
  return engine.stats();
}

const tokens = (count: number, first: number) => Array.from({ length: count }, (_, i) => 4 + ((first + i * 7) % 500));
const greedy = { temperature: 0, maxTokens: 4 };

test("prompts that begin alike and come together: the first is computed, the others remember", async () => {
  const engine = await tinyEngine();
  const prompts = Array.from({ length: 8 }, (_, i) => [...tokens(100, 0), 600 + i]);
  await Promise.all(prompts.map((prompt) => generate(engine, prompt, greedy)));
  const whole = 96; // positions in whole pages
  expect(await statsOf(engine)).toMatchObject({
    ...{ waiting: 0, running: 0, promptTokens: 8 * 101, cachedTokens: 7 * whole },
    ...{ computedTokens: 101 + 7 * (101 - whole), generatedTokens: 32, preemptions: 0 },
  });
});

test("pages are free, remembered or in use", async () => {
  const engine = await tinyEngine({ maxSequences: 2 });
  const { pageRows, pages } = await statsOf(engine);
  expect(pageRows).toBe(16);
  const unused = pages.map(({ total }) => ({ total, free: total, remembered: 0 }));
  expect(pages).toEqual(unused);
  expect(unused.map(({ total }) => total)).toEqual([32, 12]); // two full contexts; and windows of 16 with steps of 64
  const running = generate(engine, tokens(33, 0), { temperature: 0, maxTokens: 3 });
  expect(engine.stats()).toMatchObject({ waiting: 1, running: 0 });
  await running;
  const [full, sliding] = (await statsOf(engine)).pages;
  expect(full).toEqual({ total: 32, free: 30, remembered: 2 });
  expect(sliding!.free + sliding!.remembered).toBe(12);
});

test("what is computed again after a set-back counts as computed, not as prompt", async () => {
  const engine = await tinyEngine({ contextLength: 112, spareCacheBytes: 0, maxSequences: 2 });
  await Promise.all([0, 1].map((i) => generate(engine, tokens(20, 50 * i), { temperature: 0, maxTokens: 60 })));
  const { promptTokens, cachedTokens, computedTokens, generatedTokens, preemptions } = await statsOf(engine);
  expect({ promptTokens, cachedTokens, generatedTokens }).toEqual({
    ...{ promptTokens: 40, cachedTokens: 0, generatedTokens: 120 },
  });
  expect(preemptions).toBeGreaterThan(0);
  expect(computedTokens).toBeGreaterThan(40);
});

test("guesses are counted as the generations count them; scores have prompts and nothing else", async () => {
  vi.spyOn(StepTimes.prototype, "ms").mockReturnValue(1); // guesses always pay
  const engine = await tinyEngine();
  const counts: GenerationCounts[] = [];
  for (const [i, bias] of [[77], [17, 19, 23, 29, 31]].entries()) {
    await new Promise<void>((resolve, reject) => {
      const logitBias = Object.fromEntries(bias.map((id) => [id, 50]));
      const done = (_: unknown, counted: GenerationCounts) => {
        counts.push(counted);
        resolve();
      };
      const options = { temperature: 4 * i, topK: 3, seed: i, logitBias, maxTokens: 40, ignoreEos: true };
      engine.generate(tokens(40, 0), options, null, { piece() {}, done, fail: reject });
    });
  }
  const sum = (of: (counts: GenerationCounts) => number) => counts.reduce((all, each) => all + of(each), 0);
  const before = await statsOf(engine);
  expect(before.acceptedTokens).toBeGreaterThan(20);
  expect(before.proposedTokens).toBeGreaterThan(before.acceptedTokens);
  expect(before).toMatchObject({
    ...{ proposedTokens: sum(({ proposed }) => proposed), acceptedTokens: sum(({ accepted }) => accepted) },
    ...{ generatedTokens: 80, cachedTokens: sum(({ cached }) => cached), computedTokens: 40 + 8 },
  });
  await score(engine, tokens(10, 300), {});
  const { promptTokens, computedTokens, generatedTokens } = await statsOf(engine);
  expect({ promptTokens, computedTokens, generatedTokens }).toEqual({
    promptTokens: 90,
    computedTokens: before.computedTokens + 10,
    generatedTokens: 80,
  });
});
