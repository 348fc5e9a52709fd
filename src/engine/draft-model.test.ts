import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Generated, generate, tinyEngine } from "../../test/helpers/tiny-engine.js";
import { macrotask } from "../base/macrotask.js";
import { DraftModel } from "./draft-model.js";
import { StepTimes } from "./draft-rows.js";
import type { Engine } from "./engine.js";
import type { GenerateOptions } from "./options.js";

afterEach(() => vi.restoreAllMocks());

const tokens = (count: number, first = 0) => Array.from({ length: count }, (_, i) => 4 + ((first + i * 7) % 500));

/** Times in ms: of the model's step, of each row more, and of the draft model's step. */
function mockTimes(step: number, row: number, draft: number) {
  vi.spyOn(StepTimes.prototype, "ms").mockImplementation((rows) => step + row * (rows - 1));
  vi.spyOn(DraftModel.prototype, "stepMs").mockReturnValue(draft);
  vi.spyOn(DraftModel.prototype, "catchUpMs").mockReturnValue(0);
}

const plain = { promptLookup: false, maxTokens: 40 };
const CASES: readonly GenerateOptions[] = [
  { ...plain, temperature: 0 },
  { ...plain, temperature: 1, seed: 1 },
  { ...plain, temperature: 3, topK: 0, seed: 2 },
  { ...plain, temperature: 1, seed: 3, frequencyPenalty: 0.5, repetitionPenalty: 1.1, logitBias: { 17: 2, 700: 1 } },
];

describe("where it always pays", () => {
  beforeEach(() => mockTimes(1, 0, 0));

  test("the model as its own draft: nearly every guess is right, greedy and sampled, and texts stay the same", async () => {
    const [bare, engine] = [await tinyEngine(), await tinyEngine({}, "gemma3")];
    for (const options of CASES) {
      expect(await generate(engine, tokens(40), options)).toEqual(await generate(bare, tokens(40), options));
    }
    const { proposedTokens, acceptedTokens, generatedTokens, steps } = engine.stats();
    expect(proposedTokens).toBeGreaterThan(100);
    expect(acceptedTokens).toBe(proposedTokens); // the same rows, the same draws
    expect(steps).toBeLessThan(generatedTokens / 4);
  });

  test.each(["gemma1-mqa", "gemma2"] as const)("another model (%s) as draft: the same texts", async (draft) => {
    const [bare, engine] = [await tinyEngine(), await tinyEngine({}, draft)];
    const both = (run: (engine: Engine) => Promise<unknown>) => Promise.all([run(engine), run(bare)]);
    for (const options of CASES) {
      const [drafted, wanted] = await both((each) => generate(each, tokens(30), options));
      expect(drafted).toEqual(wanted);
    }
    const batch = (each: Engine) =>
      Promise.all(CASES.map((options, i) => generate(each, tokens(10 + 9 * i), { ...options, maxTokens: 10 + i })));
    const [drafted, wanted] = await both(batch);
    expect(drafted).toEqual(wanted);
    expect(engine.stats().proposedTokens).toBeGreaterThan(50);
    expect(bare.stats().proposedTokens).toBe(0);
  });

  test("jobs that are set back, cancelled, or find no pages for their drafts go on; nothing is lost", async () => {
    // Rows of a step, so that steps do not depend on how fast this machine is.
    const small = { contextLength: 112, spareCacheBytes: 0, maxSequences: 3, maxRows: 32 };
    const [bare, engine] = [
      await tinyEngine({ ...small, spareCacheBytes: 1 << 20 }),
      await tinyEngine(small, "gemma3"),
    ];
    const list = Array.from({ length: 8 }, (_, i) => ({ prompt: tokens(5 + 3 * i, 40 * i), seed: i }));
    const wanted: Generated[] = [];
    const options = { ...plain, maxTokens: 60 };
    for (const { prompt, seed } of list) wanted.push(await generate(bare, prompt, { ...options, seed }));
    for (let round = 0; round < 2; round++) {
      for (const { prompt } of list.slice(0, 4)) {
        let heard = 0;
        const job = engine.generate(prompt, options, null, {
          piece: () => void (++heard === 3 && job.cancel("enough")),
          done: () => expect.unreachable(),
          fail: () => {},
        });
      }
      const all = await Promise.all(list.map(({ prompt, seed }) => generate(engine, prompt, { ...options, seed })));
      expect(all).toEqual(wanted);
    }
    expect(engine.stats().preemptions).toBeGreaterThan(0);
    await macrotask();
    const before = engine.stats();
    await generate(engine, tokens(80), { ...options, temperature: 0 }); // nearly all pages of the draft's cache
    await macrotask();
    expect(engine.stats().acceptedTokens - before.acceptedTokens).toBeGreaterThan(20);
  });

  test("what the draft model remembers of a prompt is not computed again", async () => {
    const engine = await tinyEngine({}, "gemma3");
    const catchUp = vi.spyOn(DraftModel.prototype as unknown as { run(spans: { count: number }[]): void }, "run");
    const rows = () => catchUp.mock.calls.flatMap(([spans]) => spans).reduce((sum, { count }) => sum + count, 0);
    await generate(engine, tokens(100), { ...plain, maxTokens: 4 });
    const first = rows();
    expect(first).toBeGreaterThan(100);
    await generate(engine, tokens(100), { ...plain, maxTokens: 4 });
    expect(rows() - first).toBeLessThan(10);
    await generate(engine, tokens(100), { ...plain, maxTokens: 4, cacheSalt: "other" });
    expect(rows() - first).toBeGreaterThan(100);
  });

  test("tokens that the draft model has not: it leaves that text alone", async () => {
    const engine = await tinyEngine({}, "gemma2");
    await generate(engine, [...tokens(20), 600], plain);
    expect(engine.stats().proposedTokens).toBe(0);
  });

  test("its trained length is the end of its guesses", async () => {
    const engine = await tinyEngine({}, "gemma3");
    const { draft } = engine.parts;
    Object.assign(draft!.config, { maxPositionEmbeddings: 30 });
    await generate(engine, tokens(10), { ...plain, temperature: 0 });
    expect(engine.stats().acceptedTokens).toBeLessThanOrEqual(20);
    expect(engine.stats().acceptedTokens).toBeGreaterThan(10);
  });
});

describe("where it may not pay", () => {
  test("steps as slow as the model's own: nothing is drafted", async () => {
    mockTimes(10, 0.5, 10);
    const engine = await tinyEngine({}, "gemma3");
    await generate(engine, tokens(10), { ...plain, temperature: 0 });
    expect(engine.stats()).toMatchObject({ proposedTokens: 0, steps: 40 });
  });

  test("guesses that are wrong are given up, and tried again after a while", async () => {
    mockTimes(10, 1, 2);
    const engine = await tinyEngine({ contextLength: 1024 }, "gemma1-mqa");
    const proposed: number[] = [];
    const logitBias = Object.fromEntries(tokens(256).map((_, i) => [512 + i, -1000])); // tokens that only one of them has
    for (let i = 0; i < 4; i++) {
      await generate(engine, tokens(10, i), { ...plain, temperature: 1, topK: 0, maxTokens: 100, seed: i, logitBias });
      proposed.push(engine.stats().proposedTokens);
    }
    expect(proposed[0]).toBeGreaterThan(5);
    expect(proposed[0]).toBeLessThan(50);
    expect(proposed[3]! - proposed[0]!).toBeLessThan(40);
    expect(proposed[3]).toBeGreaterThan(proposed[0]!);
  });

  test("a long prompt is not caught up with for an answer that may be short", async () => {
    mockTimes(10, 0.5, 1);
    const catchUpMs = vi.mocked(DraftModel.prototype.catchUpMs);
    catchUpMs.mockReturnValue(64 * 10);
    const engine = await tinyEngine({}, "gemma3");
    await generate(engine, tokens(100), { ...plain, temperature: 0, maxTokens: 60 });
    expect(engine.stats().proposedTokens).toBe(0);
    catchUpMs.mockReturnValue(64);
    await generate(engine, tokens(100), { ...plain, temperature: 0, maxTokens: 60 });
    expect(engine.stats().acceptedTokens).toBeGreaterThan(30);
  });

  test("a grammar's generation has no guesses", async () => {
    mockTimes(1, 0, 0);
    const engine = await tinyEngine({}, "gemma3");
    const bits = new Uint32Array(24).fill(0xffff_ffff);
    const mask = { bits, accept() {}, whenReady: () => null, close() {} };
    await generate(engine, tokens(10), { ...plain, temperature: 0 }, mask);
    expect(engine.stats().proposedTokens).toBe(0);
  });
});
