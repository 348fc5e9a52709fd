import { expect, test } from "vitest";
import { LengthTally } from "../tune/data/lengths.js";
import type { StepEvent, TuneEvent } from "../tune/run/events.js";
import { createOutput } from "./output.js";
import { lossCurve, TuneProgress } from "./tune-progress.js";

test("losses as blocks: from left to right, the highest and the lowest by height", () => {
  expect(lossCurve([8, 7, 6, 5, 4, 3, 2, 1], 8)).toBe("█▇▆▅▄▃▂▁");
  expect(lossCurve([8, 6, 2, 0], 2)).toBe("█▁"); // means of pairs
  expect(lossCurve([3, 3], 8)).toBe("▁▁");
  expect(lossCurve([], 8)).toBe("");
});

const COSTS = { tokens: 1234, targets: 4, examples: 2, seconds: 61.5, peakBytes: 1e9 };
const step = (number: number): StepEvent => ({
  ...{ type: "step", step: number, steps: 3, epoch: 1, loss: 4 - number, gradientNorm: 1, learningRate: 1e-4 },
  ...{ ...COSTS, tokensPerSecond: 99.6, secondsLeft: 61 },
});
const END = { type: "end", path: "runs/x/adapter", method: "lora", steps: 3, loss: 1 } as const;
const EVENTS: readonly TuneEvent[] = [
  step(1),
  step(2),
  { type: "eval", step: 2, heldOutLoss: 2.5 },
  { type: "checkpoint", step: 2, path: "runs/x/checkpoints/step-000002" },
  step(3),
  { ...END, heldOut: { before: 3, after: 2.5 }, costs: COSTS },
];

function shown(isTTY: boolean, json = false) {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ isTTY, write: (text: string) => (written[name] += text) });
  const streams = { stdout: stream("stdout"), stderr: stream("stderr"), env: {} };
  let timeMs = 0;
  const progress = new TuneProgress(createOutput(json, streams), streams.stderr, () => (timeMs += 200));
  for (const event of EVENTS) progress.show(event);
  return written;
}

test("a terminal has one line that is redrawn, with a curve; what is measured stays", () => {
  const { stdout, stderr } = shown(true);
  expect(stderr.split("\r")).toEqual([
    "",
    "step 1 of 3 ▁ loss 3.0000, 1 min 1 s left, 100 tokens/s, rate 0.000100\u001b[K",
    "step 2 of 3 █▁ loss 2.0000, 1 min 1 s left, 100 tokens/s, rate 0.000100\u001b[K",
    "\u001b[Kstep 2: held-out loss 2.5000\n",
    "step 3 of 3 █▅▁ loss 1.0000, 100 tokens/s, rate 0.000100\u001b[K",
    "\u001b[Kheld-out loss 3.0000 -> 2.5000\n1,234 tokens in 1 min 2 s, 1.0 GB of memory at most\n",
  ]);
  expect(stdout).toBe("runs/x/adapter\n");
});

test.each([
  [100, 24, true],
  [90, 15, true],
  [80, 20, false],
  [0, 20, false], // a terminal that does not know
  [60, 8, false],
])("of %i columns the curve takes what room there is, and no number is cut", (columns, width, hasRate) => {
  const written: string[] = [];
  const stream = { isTTY: true, columns, write: (text: string) => written.push(text) };
  let timeMs = 0;
  const output = createOutput(false, { stdout: stream, stderr: stream, env: {} });
  const progress = new TuneProgress(output, stream, () => (timeMs += 200));
  for (let number = 1; number <= 40; number++) progress.show({ ...step(number), steps: 500 });
  const line = written.at(-1)!.replace("\r", "").replace("\u001b[K", "");
  expect(line).toMatch(/^step 40 of 500 [▁-█]+ loss -36\.0000, 1 min 1 s left/);
  expect(line.match(/[▁-█]+/)![0]).toHaveLength(width);
  expect(line.length).toBeLessThan(columns || 80);
  expect(line.endsWith("rate 0.000100")).toBe(hasRate);
});

test("elsewhere there are lines: the first step, one every ten seconds, the last", () => {
  expect(shown(false).stderr.split("\n")).toEqual([
    "step 1 of 3 loss 3.0000, 1 min 1 s left, 100 tokens/s, rate 0.000100",
    "step 2: held-out loss 2.5000",
    "step 2: checkpoint runs/x/checkpoints/step-000002",
    "step 3 of 3 loss 1.0000, 100 tokens/s, rate 0.000100",
    "held-out loss 3.0000 -> 2.5000",
    "1,234 tokens in 1 min 2 s, 1.0 GB of memory at most",
    "",
  ]);
});

test("a plan says what the memory is for, all of it", () => {
  const parts = { weightsBytes: 5e6, trainedBytes: 2e6, activationsBytes: 33e6, lossBytes: 10e6, programBytes: 25e7 };
  const memory = { ...parts, totalBytes: 3e8 };
  const written: string[] = [];
  const stream = { isTTY: false, write: (text: string) => written.push(text) };
  const progress = new TuneProgress(createOutput(false, { stdout: stream, stderr: stream, env: {} }), stream);
  progress.show({
    ...{ type: "plan", method: "lora", examples: 9, tokens: 1234, heldOut: 0, epochs: 2, steps: 1, memory },
    ...{ trainableParameters: 56_789, activationCheckpoints: true },
  });
  expect(written).toEqual([
    "lora: 56,789 parameters; 1 step in 2 epochs of 1,234 tokens; about 300 MB of memory: weights 5.0 MB, " +
      "gradients and optimizer 2.0 MB, activations 33.0 MB (computed anew), logits 10.0 MB, the program 250 MB\n",
  ]);
});

test.each([
  [1, ["1 repeats another, e.g. a:1 and a:2", "1 of the held-out examples is learned, too: its loss says little"]],
  [
    2000,
    [
      "2,000 repeat others, e.g. a:1 and a:2",
      "2,000 of the held-out examples are learned, too: their loss says little",
    ],
  ],
])("%i examples that are there twice are told", (count, lines) => {
  const written: string[] = [];
  const stream = { isTTY: false, write: (text: string) => written.push(text) };
  const progress = new TuneProgress(createOutput(false, { stdout: stream, stderr: stream, env: {} }), stream);
  const lengths = new LengthTally(8).report();
  progress.show({
    ...{ type: "data", lengths, heldOut: null },
    ...{ duplicates: { count, at: [["a:1", "a:2"]] }, learnedHeldOut: count },
  });
  expect(written.slice(-2)).toEqual(lines.map((line) => `${line}\n`));
});

test("a script that asked for JSON finds nothing on standard error", () => {
  expect(shown(false, true).stderr).toBe("");
});
