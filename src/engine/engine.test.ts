import { expect, test, vi } from "vitest";
import { type Generated, generate, score, tinyEngine } from "../../test/helpers/tiny-engine.js";
import { macrotask } from "../base/macrotask.js";
import { seededRng } from "../base/rng.js";
import { StepTimes } from "./draft-rows.js";
import { StepRunner } from "./step.js";

const SEED = 7;

function prompts(count: number): number[][] {
  const rng = seededRng(SEED);
  return Array.from({ length: count }, () => [
    2,
    ...Array.from({ length: 3 + rng.integer(60) }, () => 4 + rng.integer(500)),
  ]);
}

test(`a generation is the same alone, in any batch, after preemption and after prefix hits (seed ${SEED})`, async () => {
  const roomy = await tinyEngine();
  const options = { maxTokens: 12, seed: 3, temperature: 0.9, logprobs: 1 };
  const wanted: Generated[] = [];
  for (const prompt of prompts(8)) wanted.push(await generate(roomy, prompt, options));
  const together = await Promise.all(prompts(8).map((prompt) => generate(roomy, prompt, options)));
  expect(together).toEqual(wanted); // in batches, from remembered prefixes
  const fresh = await tinyEngine({ maxRows: 16, maxSequences: 3 });
  expect(await Promise.all(prompts(8).map((prompt) => generate(fresh, prompt, options)))).toEqual(wanted);
  // Pages for one sequence and a little: jobs are set back and computed again.
  const tight = await tinyEngine({ contextLength: 80, spareCacheBytes: 0 });
  expect(await Promise.all(prompts(8).map((prompt) => generate(tight, prompt, options)))).toEqual(wanted);
});

test("scores of generated tokens are the log-probabilities they were generated with", async () => {
  const engine = await tinyEngine();
  const [prompt] = prompts(1);
  const { ids, logprobs, reason } = await generate(engine, prompt!, { maxTokens: 20, temperature: 0, logprobs: 2 });
  expect(reason).toBe("length");
  const scored = await score(engine, [...prompt!, ...ids], { first: prompt!.length - 1, top: 2 });
  expect(scored).toEqual(logprobs);
  expect(logprobs.every((token, i) => token.top[0]!.id === ids[i])).toBe(true);
});

test("a long text slides out of its window and the context ends it", async () => {
  const engine = await tinyEngine({ contextLength: 100 });
  const { ids, reason } = await generate(engine, [2, 5, 9], { temperature: 0 });
  expect({ length: ids.length, reason }).toEqual({ length: 97, reason: "length" });
});

test("a cancelled job ends with the reason and leaves the others alone", async () => {
  const engine = await tinyEngine();
  const [a, b] = prompts(2);
  const alone = await generate(engine, b!, { maxTokens: 8, temperature: 0 });
  const cancelled = new Promise((_, reject) => {
    const job = engine.generate(a!, { ignoreEos: true }, null, {
      piece: () => job.cancel("enough"),
      done: () => reject(new Error("must not be done")),
      fail: reject,
    });
  });
  const other = generate(engine, b!, { maxTokens: 8, temperature: 0 });
  await expect(cancelled).rejects.toBe("enough");
  expect(await other).toEqual(alone);
});

test("a job cancelled by a piece hears of no further one, also where several came in one step", async () => {
  vi.spyOn(StepTimes.prototype, "ms").mockReturnValue(1); // guesses always pay
  const engine = await tinyEngine();
  const accepted = await new Promise<number>((resolve, reject) => {
    const options = { temperature: 0, logitBias: { 77: 1000 }, maxTokens: 40 };
    engine.generate([2, 5], options, null, { piece() {}, done: (_, drafts) => resolve(drafts.accepted), fail: reject });
  });
  expect(accepted).toBeGreaterThan(30);
  let pieces = 0;
  const cancelled = new Promise((_, reject) => {
    const job = engine.generate([2, 5], { temperature: 0, logitBias: { 77: 1000 } }, null, {
      piece: () => {
        pieces++;
        if (pieces === 9) job.cancel("enough");
      },
      done: () => reject(new Error("must not be done")),
      fail: reject,
    });
  });
  await expect(cancelled).rejects.toBe("enough");
  expect(pieces).toBe(9);
  vi.restoreAllMocks();
});

test("the only request's prompt comes in larger chunks than one beside others", async () => {
  const run = vi.spyOn(StepRunner.prototype, "run");
  const firstRows = async (count: number) => {
    const engine = await tinyEngine({ maxRows: 256 });
    run.mockClear();
    const prompt = (i: number) => Array.from({ length: 200 }, (_, at) => 4 + ((at + i) % 500));
    await Promise.all(Array.from({ length: count }, (_, i) => generate(engine, prompt(i), { maxTokens: 1 })));
    return run.mock.calls[0]![0].reduce((sum, span) => sum + span.count, 0);
  };
  expect([await firstRows(1), await firstRows(2)]).toEqual([128, 32]); // nothing was timed yet
  run.mockRestore();
});

test("bad requests are refused with what to do", async () => {
  const engine = await tinyEngine({ contextLength: 32 });
  const long = new Array(32).fill(5);
  expect(() => engine.generate(long, {}, null, never)).toThrow(expect.objectContaining({ code: "ERR_CONTEXT_FULL" }));
  expect(() => engine.generate([768], {}, null, never)).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
  expect(() => engine.generate([], {}, null, never)).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
  expect(() => engine.generate([2], { adapter: "x" }, null, never)).toThrow(
    expect.objectContaining({ code: "ERR_UNKNOWN_MODEL" }),
  );
  expect(() => engine.tokenizer).toThrow(expect.objectContaining({ code: "ERR_MISSING_FILE" }));
  engine.dispose();
  engine.dispose();
  expect(() => engine.generate([2], {}, null, never)).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
});

const never = {
  piece: () => expect.unreachable(),
  done: () => expect.unreachable(),
  fail: () => expect.unreachable(),
};

test("penalties, bias and maxTokens 0", async () => {
  const engine = await tinyEngine();
  const [prompt] = prompts(1);
  const biased = await generate(engine, prompt!, { maxTokens: 3, temperature: 0, logitBias: { 77: 1000 } });
  expect(biased.ids).toEqual([77, 77, 77]);
  const penalised = await generate(engine, prompt!, {
    maxTokens: 6,
    temperature: 0,
    logitBias: { 77: 1000 },
    frequencyPenalty: 100,
    presencePenalty: 100,
    repetitionPenalty: 1000,
  });
  expect(penalised.ids[0]).toBe(77);
  expect(penalised.ids.slice(1)).not.toContain(77);
  expect(await generate(engine, prompt!, { maxTokens: 0 })).toMatchObject({ ids: [], reason: "length" });
});

test("an embedding has length 1 and does not depend on the batch", async () => {
  const engine = await tinyEngine();
  const embed = (ids: readonly number[]) =>
    new Promise<Float32Array>((resolve, reject) => {
      engine.embed(ids, {}, { done: resolve, fail: reject });
    });
  const [a, b] = prompts(2);
  const alone = await embed(a!);
  expect(Math.hypot(...alone)).toBeCloseTo(1, 5);
  expect((await Promise.all([embed(b!), embed(a!)]))[1]).toEqual(alone);
});

test("cancelling the only job leaves an engine that works", async () => {
  const engine = await tinyEngine();
  const [a, b] = prompts(2);
  for (const when of ["at once", "in the middle"]) {
    const cancelled = new Promise((_, reject) => {
      const job = engine.generate(a!, { ignoreEos: true }, null, {
        piece: () => job.cancel(when),
        done: () => reject(new Error("must not be done")),
        fail: reject,
      });
      if (when === "at once") job.cancel(when);
    });
    await expect(cancelled).rejects.toBe(when);
    expect((await generate(engine, b!, { maxTokens: 2 })).ids).toHaveLength(2);
  }
});

test("an adapter removed or replaced during a step stays for the jobs that chose it, and goes with the last", async () => {
  const engine = await tinyEngine();
  const free = vi.spyOn(engine.parts.backend, "free");
  const made = new Set<unknown>();
  const pair = (scale: number) => {
    const { backend, config } = engine.parts;
    const fill = (rows: number, width: number) => {
      const tensor = backend.tensor("f32", [rows, width]);
      made.add(tensor);
      backend.write(
        tensor,
        Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i)),
      );
      return tensor;
    };
    const { hiddenSize, numAttentionHeads, headDim } = config;
    return new Map([["q" as const, { a: fill(2, hiddenSize), b: fill(numAttentionHeads * headDim, 2), scale }]]);
  };
  engine.addAdapter({ name: "tuned", layers: [pair(1)] });
  const [a, b] = prompts(2);
  const options = { temperature: 0, maxTokens: 6, adapter: "tuned", logprobs: 1 };
  const old = await generate(engine, a!, options);
  let other: Promise<Generated> | undefined;
  await new Promise<void>((resolve, reject) => {
    const under = generate(engine, a!, options);
    engine.generate(b!, { ...options, ignoreEos: true }, null, {
      piece: () => {
        if (other) return;
        engine.addAdapter({ name: "tuned", layers: [pair(20)] });
        other = generate(engine, a!, options); // the new one, beside requests with the old one
        free.mockClear();
        void under.then((generated) => expect(generated).toEqual(old)).catch(reject);
      },
      done: () => void under.then(() => resolve()),
      fail: reject,
    });
  });
  const fresh = await other!;
  expect(fresh.logprobs).not.toEqual(old.logprobs);
  await macrotask(); // its step is over
  engine.removeAdapter("tuned"); // nobody uses it: its pair goes at once, as the old one's has
  expect(free.mock.calls.flatMap(([tensor]) => (made.has(tensor) ? [tensor] : [])).length).toBe(4);
  expect(() => engine.generate(a!, options, null, never)).toThrow(
    expect.objectContaining({ code: "ERR_UNKNOWN_MODEL" }),
  );
  const all = engine.stats().pages.map(({ remembered, total, free: unused }) => ({ remembered, used: total - unused }));
  expect(all.every(({ used, remembered }) => used === remembered)).toBe(true);
});
