import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { seededRng } from "../../src/base/rng.js";
import { DraftModel } from "../../src/engine/draft-model.js";
import { StepTimes } from "../../src/engine/draft-rows.js";
import { Gemma, type GenerateCallOptions, type LoadOptions } from "../../src/index.js";
import { TINY } from "../helpers/tiny-models.js";

// A draft model never changes a text: whatever it guesses, ids and log-probabilities are those without it.
const SEED = 907;
const TOKENS = 24;
const COUNT = 24;

const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: draft models on the native backend: ${available}`);

// Guesses always pay: the draft model's steps take no time.
beforeEach(() => {
  vi.spyOn(StepTimes.prototype, "ms").mockReturnValue(1);
  vi.spyOn(DraftModel.prototype, "stepMs").mockReturnValue(0);
  vi.spyOn(DraftModel.prototype, "catchUpMs").mockReturnValue(0);
});
afterEach(() => vi.restoreAllMocks());

const opened: Gemma[] = [];
afterAll(() => Promise.all(opened.map((gemma) => gemma.dispose())));

async function open(options: LoadOptions = {}): Promise<Gemma> {
  const fixed = { backend: "native", contextLength: 256, inProcess: true, adapters: { tuned: TINY.adapter } } as const;
  const gemma = await Gemma.load(TINY.gemma3, { ...fixed, ...options });
  opened.push(gemma);
  return gemma;
}

const OPTIONS: readonly GenerateCallOptions[] = [
  { temperature: 0 },
  { temperature: 0, adapter: "tuned" },
  { temperature: 1 },
  { temperature: 0.7, logprobs: 2, promptLookup: false },
  { temperature: 2, topK: 0, topP: 0.9, presencePenalty: 0.4 },
  { temperature: 0, stop: "e" },
];

function requests() {
  const rng = seededRng(SEED);
  return Array.from({ length: COUNT }, (_, seed) => ({
    prompt: { ids: [2, ...Array.from({ length: 1 + rng.integer(70) }, () => 4 + rng.integer(500))] },
    options: { maxTokens: TOKENS, ignoreEos: true, seed, ...OPTIONS[seed % OPTIONS.length] },
  }));
}

async function run(gemma: Gemma, { prompt, options }: ReturnType<typeof requests>[number]) {
  const { ids, text, logprobs, finishReason } = await gemma.generate(prompt, options).result;
  return { ids, text, logprobs, finishReason };
}

describe.skipIf(available !== true)(`the same texts (seed ${SEED})`, () => {
  const wanted = (async () => {
    if (available !== true) return [];
    const all = [];
    const gemma = await open();
    for (const request of requests()) all.push(await run(gemma, request));
    return all;
  })();

  test.each([
    ["the model itself", TINY.gemma3],
    ["Gemma 2", TINY.gemma2],
    ["Gemma 1", TINY.gemma1],
  ])("draft model: %s; alone and together, 1 and 3 threads", async (_, draftModel) => {
    for (const threads of [1, 3]) {
      const gemma = await open({ draftModel, threads, maxSequences: 6 });
      const alone = [];
      for (const request of requests()) alone.push(await run(gemma, request));
      expect(alone).toEqual(await wanted);
      expect(await Promise.all(requests().map((request) => run(gemma, request)))).toEqual(await wanted);
      expect((await gemma.stats()).proposedTokens).toBeGreaterThan(100);
    }
  });

  test("the model as its own draft: every guess is right, greedy and sampled, alone and in a batch", async () => {
    const gemma = await open({ draftModel: TINY.gemma3, maxSequences: 6 });
    const results = await Promise.all(
      requests().map(({ prompt }, seed) => {
        const sampling = { temperature: (seed % 4) / 2, ...(seed % 3 === 0 ? { topK: 0, frequencyPenalty: 1 } : {}) };
        const options = { seed, maxTokens: TOKENS, ignoreEos: true, promptLookup: false, ...sampling };
        return gemma.generate(prompt, options).result;
      }),
    );
    for (const { timings } of results) expect(timings.acceptedTokens).toBe(timings.proposedTokens);
    expect((await gemma.stats()).acceptedTokens).toBeGreaterThan((COUNT * TOKENS) / 3);
  });

  test("where requests take each other's places and are given up", async () => {
    const gemma = await open({ draftModel: TINY.gemma3, contextLength: 112, maxSequences: 2 });
    const all = requests().map(async (request, i) => {
      const controller = new AbortController();
      const given = { ...request.options, priority: i % 3, signal: controller.signal };
      if (i % 4 === 3) setTimeout(() => controller.abort("enough"), 5 * i);
      return run(gemma, { ...request, options: given }).catch((reason) => reason);
    });
    for (const [i, outcome] of (await Promise.all(all)).entries()) {
      if (outcome !== "enough") expect(outcome, `request ${i}`).toEqual((await wanted)[i]);
    }
  });
});
