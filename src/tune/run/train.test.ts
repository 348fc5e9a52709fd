import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileSource } from "../../load/file-source.js";
import type { EncodedExample } from "../data/encode-examples.js";
import { parseTuneConfig, type TuneOptions } from "./config.js";
import type { TuneEvent } from "./events.js";
import type { Learner } from "./learner.js";
import { RunPlan } from "./plan.js";
import { RunFolder } from "./run-folder.js";
import { train } from "./train.js";

const HASH = "0".repeat(64);

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "gemma-tune-"));
});
afterEach(() => rmSync(path, { recursive: true }));

const examples = Array.from(
  { length: 4 },
  (_, i): EncodedExample => ({
    at: `x:${i}`,
    sequences: [{ ids: Int32Array.of(2, 5, 6), isTarget: Uint8Array.of(0, 1, 1), targets: 2 }],
  }),
);

interface Faults {
  readonly loss?: (step: number) => number;
  readonly norm?: (step: number) => number;
}

/** A learner without a model: it notes what it is asked for. */
function fakeLearner({ loss = () => 1, norm = () => 4 }: Faults = {}) {
  const calls: string[] = [];
  let steps = 0;
  const learner = {
    ...{ be: {}, parameters: [], adapter: null },
    optimizer: {
      ...{ states: [], stepCount: 0 },
      gradientNorm: async () => norm(steps + 1),
      step: (rate: number, scale: number) => {
        steps++;
        calls.push(`step ${rate} ${scale}`);
      },
    },
    count: (batch: readonly EncodedExample[]) => 2 * batch.length,
    zeroGradients: () => calls.push("zero"),
    addGradients: async (batch: readonly EncodedExample[], total: number, seed: number) => {
      calls.push(`add ${batch.map(({ at }) => at).join()} of ${total}, ${seed}`);
      return loss(steps + 1) / 2;
    },
    measure: async (batch: readonly EncodedExample[]) => ({ loss: 3 * batch.length, count: batch.length, gained: 0 }),
  };
  return { learner: learner as unknown as Learner, calls };
}

async function run(options: TuneOptions, faults: Faults = {}, heldOut: EncodedExample[][] = []) {
  const config = parseTuneConfig({
    schedule: "constant",
    warmupSteps: 0,
    learningRate: 0.1,
    batchExamples: 1,
    ...options,
  });
  const record = {
    ...{ version: 1 as const, gemma: "0.1.0", model: { name: "tiny", sha256: HASH } },
    backend: { name: "reference" as const, isa: "js" },
    data: { train: [], heldOut: [], sha256: { train: HASH, heldOut: HASH } },
    config: { ...config, template: "none" as const },
  };
  const folder = await RunFolder.open(path, record, fileSource);
  const { learner, calls } = fakeLearner(faults);
  const events: TuneEvent[] = [];
  const { signal } = new AbortController();
  let error: unknown = null;
  try {
    const plan = new RunPlan(examples, config);
    for await (const event of train({ learner, config, plan, heldOut, store: folder, signal })) events.push(event);
  } catch (reason) {
    error = reason;
  } finally {
    folder.close();
  }
  return { events, calls, error };
}

test("gradients of micro-batches are added up, clipped by their norm, and each step drops by seeds of its own", async () => {
  const { calls, events } = await run({ accumulate: 2, epochs: 2 });
  expect(calls.filter((call) => call.startsWith("step"))).toEqual(Array(4).fill("step 0.1 0.25"));
  const adds = calls.filter((call) => call.startsWith("add"));
  expect(adds.length).toBe(8);
  expect(adds.every((call) => call.includes("of 4,"))).toBe(true); // targets of the whole step
  expect(new Set(adds.map((call) => call.split(", ")[1])).size).toBe(8);
  expect(events).toContainEqual(expect.objectContaining({ type: "step", step: 3, epoch: 2, loss: 1, gradientNorm: 4 }));
  expect((await run({ accumulate: 2, epochs: 2 })).calls).toEqual([]); // all is done
});

test("a norm within the limit, and no limit, change nothing", async () => {
  expect((await run({ epochs: 1, clipNorm: 0 })).calls).toContain("step 0.1 1");
});

test.each([
  ["loss", { loss: (step: number) => (step === 3 ? Number.NaN : 1) }],
  ["gradient", { norm: (step: number) => (step === 3 ? Number.POSITIVE_INFINITY : 1) }],
] as const)(
  "a %s that is no number stops the run before anything of its step is done or written",
  async (what, faults) => {
    const { error, calls, events } = await run({ epochs: 1, checkpointEvery: 2 }, faults);
    const last = join(path, "checkpoints", "step-000002");
    expect(error).toMatchObject({
      code: "ERR_DIVERGED",
      message: expect.stringContaining(`the ${what} of step 3 must be a number`),
      hint: expect.stringContaining(`the last good checkpoint is ${last}`),
    });
    expect(calls.filter((call) => call.startsWith("step")).length).toBe(2);
    expect(events.at(-1)).toEqual({ type: "checkpoint", step: 2, path: last });
    expect(readFileSync(join(path, "metrics.jsonl"), "utf8").trim().split("\n").length).toBe(2);
  },
);

test("what is held out is measured before the first step, every so often and behind the last", async () => {
  const { events } = await run({ epochs: 2, evalEvery: 3 }, {}, [examples.slice(0, 2), examples.slice(2, 3)]);
  const evals = events.filter(({ type }) => type === "eval");
  expect(evals).toEqual([0, 3, 6, 8].map((step) => ({ type: "eval", step, heldOutLoss: 3 })));
});
