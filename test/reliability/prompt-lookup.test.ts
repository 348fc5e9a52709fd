import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { seededRng } from "../../src/base/rng.js";
import { StepTimes } from "../../src/engine/draft-rows.js";
import { Gemma, type GenerateCallOptions, type GenerateResult, type LoadOptions } from "../../src/index.js";
import { TINY } from "../helpers/tiny-models.js";

// Prompt lookup never changes a text: whatever is guessed, ids, pieces and log-probabilities are those without it.
const SEED = 4_711;
const TOKENS = 28;

const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: prompt lookup on the native backend: ${available}`);
const BACKENDS = available === true ? (["reference", "native"] as const) : (["reference"] as const);

// Every step takes the same time, whatever its rows: guesses always pay.
beforeEach(() => {
  vi.spyOn(StepTimes.prototype, "ms").mockReturnValue(1);
});
afterEach(() => vi.restoreAllMocks());

const opened: Gemma[] = [];
afterAll(() => Promise.all(opened.map((gemma) => gemma.dispose())));

async function open(backend: (typeof BACKENDS)[number], model: string, options: LoadOptions = {}): Promise<Gemma> {
  const adapters = model === TINY.gemma3 ? { tuned: TINY.adapter } : {};
  const gemma = await Gemma.load(model, { backend, contextLength: 256, inProcess: true, adapters, ...options });
  opened.push(gemma);
  return gemma;
}

/** A few tokens alone: random weights then repeat themselves, and often enough do not. */
const FEW = { logitBias: { 17: 50, 19: 50, 23: 50, 29: 50, 31: 50 } };

/** Every option that shapes a text. */
const OPTIONS: readonly GenerateCallOptions[] = [
  { temperature: 0 },
  { ...FEW, temperature: 0, logprobs: 2 },
  { ...FEW, temperature: 2, topK: 4 },
  { ...FEW, temperature: 4, topK: 3, logprobs: 1 },
  { ...FEW, temperature: 0, repetitionPenalty: 1.02 },
  { ...FEW, temperature: 1, frequencyPenalty: 0.5, presencePenalty: 0.5 },
  { ...FEW, temperature: 3, topP: 0.9 },
  { ...FEW, temperature: 0, maxTokens: 17 },
  { logitBias: { ...FEW.logitBias, 1: 49 }, temperature: 1, ignoreEos: false },
];

/** Prompts that repeat themselves. */
function prompts(): number[][] {
  const rng = seededRng(SEED);
  return OPTIONS.map(() => {
    const phrase = Array.from({ length: 3 + rng.integer(20) }, () => 4 + rng.integer(500));
    return [2, ...phrase, ...phrase, ...phrase.slice(0, 2)];
  });
}

async function generate(gemma: Gemma, i: number, promptLookup: boolean, extra: GenerateCallOptions = {}) {
  const options = { maxTokens: TOKENS, seed: i, ignoreEos: true, promptLookup, ...OPTIONS[i], ...extra };
  return gemma.generate({ ids: prompts()[i]! }, options).result;
}

/** All but the timings. */
function content({ timings: _, ...rest }: GenerateResult) {
  return rest;
}

function sums(results: readonly GenerateResult[]) {
  const total = { proposed: 0, accepted: 0 };
  for (const { timings } of results) {
    total.proposed += timings.proposedTokens;
    total.accepted += timings.acceptedTokens;
  }
  return total;
}

describe.each(BACKENDS)("%s", (backend) => {
  test.each(["gemma1", "gemma2", "gemma3"] as const)("%s: alone and in batches, with every option", async (model) => {
    const gemma = await open(backend, TINY[model]);
    const plain: GenerateResult[] = [];
    const guessed: GenerateResult[] = [];
    for (const i of OPTIONS.keys()) plain.push(await generate(gemma, i, false));
    for (const i of OPTIONS.keys()) guessed.push(await generate(gemma, i, true));
    expect(guessed.map(content)).toEqual(plain.map(content));
    const { proposed, accepted } = sums(guessed);
    expect(accepted).toBeGreaterThan(5);
    expect(proposed - accepted).toBeGreaterThan(20);
    expect(sums(plain)).toEqual({ proposed: 0, accepted: 0 });
    const together = await Promise.all([...OPTIONS.keys()].map((i) => generate(gemma, i, true)));
    expect(together.map(content)).toEqual(plain.map(content));
    expect(sums(together).accepted).toBeGreaterThan(0);
  });

  test("stop strings end the text in the middle of a draft", async () => {
    const gemma = await open(backend, TINY.gemma3);
    const { text } = await generate(gemma, 0, false);
    for (const stop of [text.slice(-9, -5), text.slice(20, 23)]) {
      const [plain, guessed] = [await generate(gemma, 0, false, { stop }), await generate(gemma, 0, true, { stop })];
      expect(content(guessed)).toEqual(content(plain));
      expect(guessed.finishReason).toBe("stop");
    }
  });

  test("up to the end of the context, with adapters, and when jobs are set back", async () => {
    const roomy = await open(backend, TINY.gemma3);
    const tight = await open(backend, TINY.gemma3, { contextLength: 112, maxSequences: 2 });
    const some = [...OPTIONS.keys()].slice(0, backend === "native" ? OPTIONS.length : 3);
    const extra = (i: number) => ({ maxTokens: 200, ignoreEos: true, ...(i % 2 === 0 ? { adapter: "tuned" } : {}) });
    const plain = [];
    for (const i of some) plain.push(await generate(tight, i, false, extra(i)));
    expect(new Set(plain.map(({ ids }, i) => ids.length + prompts()[i]!.length))).toEqual(new Set([112]));
    const guessed = await Promise.all(some.map((i) => generate(tight, i, true, extra(i))));
    expect(guessed.map(content)).toEqual(plain.map(content));
    expect(sums(guessed).accepted).toBeGreaterThan(0);
    // From remembered prefixes: pages with positions of wrong guesses must not be among them.
    const texts = plain.map(({ ids }, i) => [...prompts()[i]!, ...ids]);
    for (const [i, ids] of texts.entries()) {
      const adapter = i % 2 === 0 ? { adapter: "tuned" } : {};
      const more = { maxTokens: 8, temperature: 0, ignoreEos: true, logprobs: 1, ...adapter };
      const next = (gemma: Gemma, promptLookup: boolean) =>
        gemma.generate({ ids: ids.slice(0, 100) }, { ...more, promptLookup }).result;
      expect(content(await next(tight, true))).toEqual(content(await next(roomy, false)));
    }
  });

  test("a request given up in the middle of a draft hears nothing more", async () => {
    const gemma = await open(backend, TINY.gemma3);
    const plain = await generate(gemma, 0, false);
    const controller = new AbortController();
    const cancelled = gemma.generate(
      { ids: prompts()[0]! },
      { maxTokens: 200, temperature: 0, ignoreEos: true, signal: controller.signal },
    );
    const other = generate(gemma, 1, true);
    let pieces = 0;
    await expect(async () => {
      for await (const _ of cancelled) if (++pieces === 20) controller.abort(new Error("enough"));
    }).rejects.toThrow("enough");
    expect(content(await other)).toEqual(content(await generate(gemma, 1, false)));
    expect(content(await generate(gemma, 0, true))).toEqual(content(plain));
  });
});
