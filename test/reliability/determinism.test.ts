import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { seededRng } from "../../src/base/rng.js";
import { Gemma, type LoadOptions, type RequestOptions } from "../../src/index.js";
import { TINY } from "../helpers/tiny-models.js";

// Equal seeds give equal ids, whatever else is in the batch and whoever goes first: 64 prompts, sampled, int8 activations.
const SEED = 20_252;
const COUNT = 64;
const TOKENS = 8;

const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: determinism of the native backend: ${available}`);

interface Request {
  readonly ids: readonly number[];
  readonly seed: number;
  readonly adapter: string | undefined;
}

/** Prompts of 2 to 90 tokens; the odd ones begin like the one before. */
function requests(): Request[] {
  const rng = seededRng(SEED);
  const tokens = (count: number) => Array.from({ length: count }, () => 4 + rng.integer(500));
  const all: Request[] = [];
  for (let i = 0; i < COUNT; i++) {
    const shared = i % 2 === 1 ? all[i - 1]!.ids.slice(0, 1 + rng.integer(60)) : [2];
    const ids = [...shared, ...tokens(1 + rng.integer(40))];
    all.push({ ids, seed: i, adapter: i % 5 === 0 ? "tuned" : undefined });
  }
  return all;
}

const opened: Gemma[] = [];
afterAll(() => Promise.all(opened.map((gemma) => gemma.dispose())));

async function open(options: LoadOptions = {}): Promise<Gemma> {
  const fixed = { backend: "native", contextLength: 256, inProcess: true, adapters: { tuned: TINY.adapter } } as const;
  const gemma = await Gemma.load(TINY.gemma3, { ...fixed, ...options });
  opened.push(gemma);
  return gemma;
}

async function ids(
  gemma: Gemma,
  { ids: prompt, seed, adapter }: Request,
  place: RequestOptions = {},
): Promise<readonly number[]> {
  const options = { maxTokens: TOKENS, seed, ignoreEos: true, ...place, ...(adapter === undefined ? {} : { adapter }) };
  return (await gemma.generate({ ids: prompt }, options).result).ids;
}

/** Where each request stands among the others: few tenants, priorities and salts, so that they meet. */
function places(seed: number): RequestOptions[] {
  const rng = seededRng(seed);
  return Array.from({ length: COUNT }, () => ({
    ...{
      tenant: `tenant ${rng.integer(4)}`,
      priority: rng.integer(5) - 2,
      cacheSalt: rng.integer(3) === 0 ? "own" : "",
    },
    deadlineMs: 60_000,
  }));
}

/** All requests, each with a place of its own, within 300 ms. */
async function withArrivals(gemma: Gemma, list: readonly Request[], seed: number): Promise<(readonly number[])[]> {
  const rng = seededRng(seed);
  const all = places(seed);
  const arrivals = list.map(async (request, i) => {
    await sleep(rng.integer(300));
    return ids(gemma, request, all[i]);
  });
  return Promise.all(arrivals);
}

/** Each request comes when the one before it has begun to answer, and most go before that one. */
async function overtaking(gemma: Gemma, list: readonly Request[]): Promise<(readonly number[])[]> {
  const all: Promise<readonly number[]>[] = [];
  for (const [i, { ids, seed, adapter }] of list.entries()) {
    const options = { maxTokens: TOKENS, seed, ignoreEos: true, priority: i % 8, ...(adapter && { adapter }) };
    const answer = gemma.generate({ ids }, options);
    all.push(answer.result.then((result) => result.ids));
    await answer[Symbol.asyncIterator]().next();
  }
  return Promise.all(all);
}

async function inBatches(gemma: Gemma, list: readonly Request[]): Promise<(readonly number[])[]> {
  const rng = seededRng(SEED);
  const all: (readonly number[])[] = [];
  while (all.length < list.length) {
    const batch = list.slice(all.length, all.length + 2 + rng.integer(7));
    all.push(...(await Promise.all(batch.map((request) => ids(gemma, request)))));
  }
  return all;
}

describe.skipIf(available !== true)(`equal ids (seed ${SEED})`, () => {
  const list = requests();
  const wanted = (async () => {
    if (available !== true) return [];
    const all: (readonly number[])[] = [];
    const gemma = await open({ threads: 1 });
    for (const request of list) all.push(await ids(gemma, request));
    return all;
  })();

  test("the prompts do not all go the same way", async () => {
    expect(new Set((await wanted).map((all) => all.join())).size).toBe(COUNT);
  });

  test.each([1, 2, 7])("in batches of 2 to 8, on %d threads", async (threads) => {
    expect(await inBatches(await open({ threads }), list)).toEqual(await wanted);
  });

  test.each([1, 2, 7])("with random arrivals, tenants, priorities and salts, on %d threads", async (threads) => {
    const gemma = await open({ threads, maxSequences: 5 });
    expect(await withArrivals(gemma, list, SEED + threads)).toEqual(await wanted);
    const { cachedTokens } = await gemma.stats();
    expect(await withArrivals(gemma, list, SEED)).toEqual(await wanted); // again, from remembered prefixes
    expect((await gemma.stats()).cachedTokens).toBeGreaterThan(2 * cachedTokens);
  });

  test("when room for two sequences pushes remembered prefixes out", async () => {
    const gemma = await open({ threads: 2, contextLength: 112, maxSequences: 2 });
    expect(await Promise.all(list.map((request) => ids(gemma, request)))).toEqual(await wanted);
  });

  test("when higher priorities take the places of lower ones", async () => {
    const gemma = await open({ threads: 2, maxSequences: 2 });
    expect(await overtaking(gemma, list)).toEqual(await wanted);
    expect((await gemma.stats()).preemptions).toBeGreaterThan(0);
  });
});
