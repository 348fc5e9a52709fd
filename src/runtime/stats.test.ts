import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";

let gemma: Gemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, {
    backend: "reference",
    activations: "f32",
    inProcess: true,
    contextLength: 256,
  });
});
afterAll(() => gemma.dispose());

test("stats count since the load", async () => {
  expect(await gemma.stats()).toMatchObject({ waiting: 0, running: 0, pageRows: 16, promptTokens: 0, steps: 0 });
  await gemma.generate({ ids: [2, 5, 9] }, { maxTokens: 5, ignoreEos: true }).result;
  expect(await gemma.stats()).toMatchObject({ promptTokens: 3, computedTokens: 3, generatedTokens: 5, running: 0 });
});

test("timings say what the request waited for, and what was remembered of its prompt", async () => {
  const prompt = { ids: [2, ...Array.from({ length: 39 }, (_, i) => 100 + i)] };
  const greedy = { temperature: 0, maxTokens: 12, ignoreEos: true };
  const [first] = await Promise.all([gemma.generate(prompt, greedy).result, gemma.score("the quick")]);
  const { timings } = await gemma.generate(prompt, greedy).result;
  expect(first!.timings).toMatchObject({ promptTokens: 40, cachedTokens: 0, generatedTokens: 12 });
  expect(timings).toMatchObject({ promptTokens: 40, cachedTokens: 32, generatedTokens: 12 });
  expect(timings.queueMs).toBeGreaterThan(0);
  expect(timings.queueMs).toBeLessThan(timings.firstTokenMs);
  const none = await gemma.generate(prompt, { maxTokens: 0 }).result;
  expect(none.timings).toMatchObject({ cachedTokens: 0, queueMs: 0, generatedTokens: 0 });
});

test("ended says that the model was disposed, once, and not before", async () => {
  let ended: unknown = null;
  const told = gemma.ended.then((why) => {
    ended = why;
  });
  await gemma.generate("the", { maxTokens: 1 }).result;
  expect(ended).toBe(null);
  await gemma.dispose();
  await told;
  expect(ended).toMatchObject({ name: "GemmaError", code: "ERR_DISPOSED" });
});
