import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { seededRng } from "../../src/base/rng.js";
import { Gemma } from "../../src/index.js";
import { TINY } from "../helpers/tiny-models.js";

// Requests that come and go at random, in a cache with room for three: whoever stays gets what it gets alone, whoever
// leaves gets its own reason, and all pages come back.
const SEED = 20_253;
const COUNT = 150;
const CONTEXT = 112;

const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: cancellation on the native backend: ${available}`);

test.skipIf(available !== true)(`${COUNT} requests, half of them given up at random (seed ${SEED})`, async () => {
  const options = { backend: "native", inProcess: true, threads: 2, contextLength: CONTEXT, maxSequences: 3 } as const;
  await using gemma = await Gemma.load(TINY.gemma3, { ...options, adapters: { tuned: TINY.adapter } });
  const rng = seededRng(SEED);
  const requests = Array.from({ length: COUNT }, (_, seed) => ({
    prompt: { ids: [2, ...Array.from({ length: rng.integer(60) }, () => 4 + rng.integer(3))] }, // shared beginnings
    options: { seed, maxTokens: 1 + rng.integer(30), ignoreEos: true, ...(seed % 3 === 0 ? { adapter: "tuned" } : {}) },
    startMs: rng.integer(400),
    abortMs: seed % 2 === 0 ? rng.integer(500) : undefined,
  }));

  const outcomes = await Promise.all(
    requests.map(async ({ prompt, options, startMs, abortMs }, i) => {
      const controller = new AbortController();
      if (abortMs !== undefined) setTimeout(() => controller.abort(i), abortMs);
      await sleep(startMs);
      const { result } = gemma.generate(prompt, { ...options, signal: controller.signal });
      return result.then(({ ids }) => ids).catch((reason: unknown) => reason);
    }),
  );

  let finished = 0;
  for (const [i, outcome] of outcomes.entries()) {
    const { prompt, options, abortMs } = requests[i]!;
    if (abortMs !== undefined && outcome === i) continue; // its own reason
    expect(outcome, `request ${i}`).toEqual((await gemma.generate(prompt, options).result).ids);
    finished++;
  }
  expect(finished).toBeGreaterThanOrEqual(COUNT / 2);
  expect(finished).toBeLessThan(COUNT);
  // A page lost with each request given up would by now be more than the cache has.
  const full = { prompt: { ids: [2, 700, 701] }, options: { temperature: 0, ignoreEos: true } };
  const three = await Promise.all(
    [1, 2, 3].map((seed) => gemma.generate(full.prompt, { ...full.options, seed }).result),
  );
  for (const { ids } of three) expect(ids).toHaveLength(CONTEXT - 3);
});
