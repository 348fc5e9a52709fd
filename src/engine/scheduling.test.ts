import { afterEach, describe, expect, test, vi } from "vitest";
import { generate, score, tinyEngine } from "../../test/helpers/tiny-engine.js";
import type { Engine } from "./engine.js";
import type { Job } from "./job.js";
import type { GenerateOptions } from "./options.js";
import { Scheduler } from "./scheduler.js";
import { StepRunner } from "./step.js";

/** Rows of a step, so that steps do not depend on how fast this machine is. */
const ROWS = 32;

afterEach(() => vi.restoreAllMocks());

const tokens = (count: number, first: number) => Array.from({ length: count }, (_, i) => 4 + ((first + i * 7) % 500));

/** The names of requests in the order in which they end. */
async function endings(engine: Engine, requests: Record<string, GenerateOptions>): Promise<string[]> {
  const ended: string[] = [];
  const all = Object.entries(requests).map(async ([name, options], i) => {
    await generate(engine, tokens(20, 31 * i), { maxTokens: 2, ...options });
    ended.push(name);
  });
  await Promise.all(all);
  return ended;
}

/** Positions computed by each step: "start+count" of each span, in order of start. */
function watchSteps() {
  const run = vi.spyOn(StepRunner.prototype, "run");
  return () => run.mock.calls.map(([spans]) => spans.map(({ start, count }) => `${start}+${count}`).sort());
}

/** Resolves when the next step has begun. */
function firstStep(): Promise<void> {
  const run = StepRunner.prototype.run;
  return new Promise((resolve) => {
    vi.spyOn(StepRunner.prototype, "run").mockImplementationOnce(function (this: StepRunner, ...args) {
      resolve();
      run.apply(this, args);
    });
  });
}

describe("who is next", () => {
  test("the highest priority", async () => {
    const engine = await tinyEngine({ maxSequences: 1, maxRows: ROWS });
    const requests = { plain: {}, low: { priority: -5 }, high: { priority: 100 }, alsoPlain: {} };
    expect(await endings(engine, requests)).toEqual(["high", "plain", "alsoPlain", "low"]);
  });

  test("the tenant that was served least", async () => {
    const engine = await tinyEngine({ maxSequences: 1, maxRows: ROWS });
    const [a, b] = [{ tenant: "a" }, { tenant: "b" }];
    const ended = await endings(engine, { a1: a, a2: a, a3: a, b1: b, b2: b, c: { tenant: "c" } });
    expect(ended).toEqual(["a1", "b1", "c", "a2", "b2", "a3"]);
  });
});

describe("prompts share a step's rows", () => {
  test("a short one behind a long one has its first token long before it", async () => {
    const engine = await tinyEngine({ maxRows: ROWS });
    const steps = watchSteps();
    const long = generate(engine, tokens(200, 0), { maxTokens: 1 });
    await generate(engine, tokens(30, 3), { maxTokens: 1 });
    expect(steps()).toEqual([
      ["0+16", "0+16"],
      ["16+14", "16+18"],
    ]);
    await long;
  });

  test("one tenant's many prompts leave another its half", async () => {
    const engine = await tinyEngine({ maxRows: ROWS });
    const steps = watchSteps();
    const many = [0, 1, 2].map((i) => generate(engine, tokens(100, i), { tenant: "many", maxTokens: 1 }));
    await generate(engine, tokens(48, 9), { tenant: "one", maxTokens: 1 });
    expect(steps()).toHaveLength(3);
    await Promise.all(many);
  });

  test("scores and embeddings take part", async () => {
    const engine = await tinyEngine({ maxRows: ROWS });
    const long = generate(engine, tokens(200, 0), { maxTokens: 1 });
    let isLongDone = false;
    void long.then(() => {
      isLongDone = true;
    });
    await score(engine, tokens(40, 5), { priority: 1 });
    expect(isLongDone).toBe(false);
    await long;
  });
});

describe("deadlines", () => {
  const late = {
    code: "ERR_DEADLINE",
    message: expect.stringMatching(/^request: must end within \d+ ms, got \d+ ms$/),
  };

  test("end what runs and what waits; others go on", async () => {
    const engine = await tinyEngine({ maxSequences: 1, maxRows: ROWS });
    const alone = await generate(engine, tokens(5, 1), { maxTokens: 200, temperature: 0 });
    const running = generate(engine, tokens(5, 1), { maxTokens: 200, temperature: 0, deadlineMs: 60 });
    const waiting = generate(engine, tokens(5, 2), { maxTokens: 1, deadlineMs: 30 });
    const patient = generate(engine, tokens(5, 1), { maxTokens: 200, temperature: 0, deadlineMs: 60_000 });
    await expect(waiting).rejects.toMatchObject(late);
    await expect(running).rejects.toMatchObject(late);
    expect(await patient).toEqual(alone);
  });

  test("end what is never ready, and close its mask", async () => {
    const engine = await tinyEngine();
    const close = vi.fn();
    const mask = { bits: undefined, accept() {}, whenReady: () => new Promise<void>(() => {}), close };
    const start = performance.now();
    await expect(generate(engine, [2, 5], { deadlineMs: 50 }, mask)).rejects.toMatchObject(late);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test("of nothing fail at once, without a step", async () => {
    const engine = await tinyEngine();
    const steps = watchSteps();
    await expect(generate(engine, [2, 5], { deadlineMs: 0 })).rejects.toMatchObject(late);
    await expect(score(engine, [2, 5], { deadlineMs: 0 })).rejects.toMatchObject(late);
    expect(steps()).toEqual([]);
  });
});

test("when pages run out, the lowest priority's youngest goes first", async () => {
  // Pages for one sequence of full length: two grow until they do not fit.
  const engine = await tinyEngine({ contextLength: 112, spareCacheBytes: 0, maxSequences: 3, maxRows: ROWS });
  const long = { maxTokens: 60, temperature: 0 };
  const ended = await endings(engine, { low: { ...long, priority: -1 }, first: long, second: long });
  expect(ended).toEqual(["first", "second", "low"]);
});

describe("admission", () => {
  const setBacks = () => vi.spyOn(Scheduler.prototype as unknown as { setBack(job: Job): void }, "setBack");

  test("prompts that do not fit beside each other come one by one: none is set back", async () => {
    const engine = await tinyEngine({ contextLength: 112, spareCacheBytes: 0, maxSequences: 4, maxRows: ROWS });
    const spy = setBacks();
    const prompts = [0, 1, 2, 3].map((i) => tokens(70, 100 * i));
    await Promise.all(prompts.map((prompt) => generate(engine, prompt, { maxTokens: 4 })));
    expect(spy).not.toHaveBeenCalled();
  });

  test("a higher priority takes a place from a lower one, never from an equal one", async () => {
    const engine = await tinyEngine({ maxSequences: 1, maxRows: ROWS });
    const spy = setBacks();
    const ended: string[] = [];
    const run = async (name: string, options: GenerateOptions) => {
      await generate(engine, tokens(20, name.length), { temperature: 0, ...options });
      ended.push(name);
    };
    const low = run("low", { maxTokens: 30 });
    await firstStep();
    await Promise.all([low, run("equal", { maxTokens: 1 }), run("high", { maxTokens: 1, priority: 1 })]);
    expect(ended).toEqual(["high", "low", "equal"]);
    expect(spy).toHaveBeenCalledTimes(1);
  });
});

describe("prompts that begin alike and come together", () => {
  const prefix = tokens(200, 0);
  const prompts = Array.from({ length: 8 }, (_, i) => [...prefix, 600 + i, 5]);
  const greedy = { maxTokens: 3, temperature: 0 };
  const rowsOf = (steps: readonly (readonly string[])[]) =>
    steps.flat().reduce((sum, span) => sum + Number(span.split("+")[1]), 0);

  test("compute what they share once, and give what they give alone", async () => {
    const alone = [];
    for (const prompt of prompts) alone.push(await generate(await tinyEngine({ maxRows: ROWS }), prompt, greedy));
    const engine = await tinyEngine({ maxRows: ROWS, maxSequences: 4 });
    const steps = watchSteps();
    expect(await Promise.all(prompts.map((prompt) => generate(engine, prompt, greedy)))).toEqual(alone);
    const suffix = 202 - 192; // behind the last whole page
    expect(rowsOf(steps())).toBe(202 + 7 * suffix + 8 * 2);
  });

  test("do so for tenants of their own, and for one whose priority is higher", async () => {
    const engine = await tinyEngine({ maxRows: ROWS, maxSequences: 6 });
    const steps = watchSteps();
    const others = Array.from({ length: 3 }, (_, i) =>
      generate(engine, tokens(100, 50 + 50 * i), { ...greedy, priority: 1 }),
    );
    await Promise.all([
      generate(engine, prompts[0]!, { ...greedy, tenant: "a" }),
      generate(engine, prompts[1]!, { ...greedy, tenant: "b" }),
      generate(engine, prompts[2]!, { ...greedy, priority: 2 }),
      ...others,
    ]);
    // The first to be admitted leads; here it is the one of the highest priority.
    expect(rowsOf(steps())).toBe(202 + 2 * 10 + 300 + 6 * 2);
  });

  test.each(["cancelled", "set back"])("go on by themselves when the first is %s", async (how) => {
    const engine = await tinyEngine({ maxRows: ROWS, maxSequences: 2, contextLength: 208, spareCacheBytes: 0 });
    const alone = await generate(await tinyEngine({ maxRows: ROWS }), prompts[1]!, greedy);
    const fail = vi.fn();
    const first = engine.generate(prompts[0]!, greedy, null, { piece() {}, done: fail, fail });
    await firstStep();
    const others = Promise.all([1, 1, 1].map((i) => generate(engine, prompts[i]!, greedy)));
    if (how === "cancelled") first.cancel("enough");
    else await generate(engine, tokens(180, 7), { ...greedy, priority: 1 });
    expect(await others).toEqual([alone, alone, alone]);
    expect(fail).toHaveBeenCalledTimes(1);
  });

  test("a follower of a higher priority lends its turn to who computes for it", async () => {
    const engine = await tinyEngine({ maxRows: ROWS });
    const leader = generate(engine, prompts[0]!, { ...greedy, priority: -1, maxTokens: 1 });
    await firstStep();
    const rival = generate(engine, tokens(240, 9), { ...greedy, maxTokens: 1 });
    const steps = watchSteps();
    await generate(engine, prompts[1]!, { ...greedy, maxTokens: 1, priority: 1 });
    const leading = steps().flatMap((spans) => spans.filter((span) => /^(32|64|96|128|160)\+32$/.test(span)));
    expect(leading).toHaveLength(5); // whole steps, although the rival's priority is above the leader's
    await Promise.all([leader, rival]);
  });
});

test("a prefix is shared among equal salts only", async () => {
  const engine = await tinyEngine({ maxRows: 64 });
  const prompt = tokens(60, 0);
  const steps = watchSteps();
  const wanted = await generate(engine, prompt, { maxTokens: 2, seed: 1, cacheSalt: "mine" });
  const computed = steps().length;
  expect(await generate(engine, prompt, { maxTokens: 2, seed: 1, cacheSalt: "mine" })).toEqual(wanted);
  expect(steps()[computed]).toEqual(["48+12"]);
  expect(await generate(engine, prompt, { maxTokens: 2, seed: 1 })).toEqual(wanted);
  expect(steps()[computed + 2]![0]).toMatch(/^0\+/);
});
