import { afterEach, describe, expect, test, vi } from "vitest";
import { DraftModel } from "../../src/engine/draft-model.js";
import { Gemma } from "../../src/index.js";
import { realModelPath } from "./model-path.js";
import { canRun, shortPrompts } from "./native-model.js";

// Gemma 3 270M as its own draft model: that shows that texts are the same and guesses right, not how much time is won.
const TOKENS = 24;

afterEach(() => vi.restoreAllMocks());

describe.skipIf(!canRun)("Gemma 3 270M, its own draft model", () => {
  const open = (draftModel: { readonly draftModel?: string }) =>
    Gemma.load(realModelPath()!, { threads: 2, contextLength: 512, inProcess: true, ...draftModel });
  const requests = shortPrompts(6).map((ids, seed) => ({
    prompt: { ids },
    options: { seed, temperature: seed % 2, maxTokens: TOKENS, ignoreEos: true, promptLookup: false, logprobs: 1 },
  }));

  test("the same texts where guesses always pay, and every guess is right", { timeout: 120_000 }, async () => {
    await using bare = await open({});
    const wanted = [];
    for (const { prompt, options } of requests) wanted.push(await bare.generate(prompt, options).result);

    vi.spyOn(DraftModel.prototype, "stepMs").mockReturnValue(0);
    vi.spyOn(DraftModel.prototype, "catchUpMs").mockReturnValue(0);
    await using gemma = await open({ draftModel: realModelPath()! });
    const run = ({ prompt, options }: (typeof requests)[number]) => gemma.generate(prompt, options).result;
    const alone = [];
    for (const request of requests) alone.push(await run(request));
    for (const results of [alone, await Promise.all(requests.map(run))]) {
      expect(results.map(({ ids, logprobs }) => ({ ids, logprobs }))).toEqual(
        wanted.map(({ ids, logprobs }) => ({ ids, logprobs })),
      );
    }
    const { proposedTokens, acceptedTokens } = await gemma.stats();
    expect(acceptedTokens).toBe(proposedTokens);
    expect(acceptedTokens).toBeGreaterThan((requests.length * TOKENS) / 2);
  });

  test("as slow as the model itself it is never asked", { timeout: 60_000 }, async () => {
    await using gemma = await open({ draftModel: realModelPath()! });
    for (const { prompt, options } of requests.slice(0, 2)) await gemma.generate(prompt, options).result;
    expect((await gemma.stats()).proposedTokens).toBe(0);
  });
});
