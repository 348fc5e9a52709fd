import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { optionNames, parseTuneConfig, TUNE_METHODS } from "./config.js";

test("defaults", () => {
  expect(parseTuneConfig({})).toMatchObject({
    ...{ method: "lora", rank: 16, alpha: 32, learningRate: 2e-4, warmupShare: 0.03, batchTokens: 2048, seed: 0 },
    targets: ["q", "k", "v", "o", "gate", "up", "down"],
  });
  expect(parseTuneConfig({ rank: 4 })).toMatchObject({ alpha: 8 });
  expect(parseTuneConfig({ method: "full" })).not.toHaveProperty("rank");
  expect(parseTuneConfig({ method: "dpo" })).toMatchObject({ beta: 0.1, learningRate: 2e-5 });
  expect(parseTuneConfig({ batchExamples: 4, warmupSteps: 5 })).toMatchObject({
    ...{ batchTokens: undefined, warmupShare: undefined },
  });
});

test("targets come once each, in the model's order", () => {
  expect(parseTuneConfig({ targets: ["down", "q", "down"] })).toMatchObject({ targets: ["q", "down"] });
});

test.each(TUNE_METHODS)("what was parsed parses to the same, also from JSON: %s", (method) => {
  const config = parseTuneConfig({ method, maxSteps: 7, columns: { prompt: "question" } });
  expect(parseTuneConfig(JSON.parse(JSON.stringify(config)))).toEqual(JSON.parse(JSON.stringify(config)));
});

const OUTSIDE: Readonly<Record<string, readonly unknown[]>> = {
  method: ["sft", null],
  rank: [0, 1025, 1.5, "8", null],
  alpha: [0, -1, 1e7, Number.NaN],
  rsLora: ["yes", 1],
  targets: [[], ["head"], "q"],
  dropout: [-0.1, 1],
  learningRate: [0, 1.1, -1, "fast", Number.POSITIVE_INFINITY],
  schedule: ["step"],
  warmupSteps: [-1, 0.5],
  warmupShare: [-0.1, 1],
  minLearningRate: [-1, 2, 1e-3],
  weightDecay: [-1, 2],
  beta1: [-0.1, 1],
  beta2: [-0.1, 1],
  epsilon: [0, 2],
  clipNorm: [-1, 1e7],
  epochs: [0, 1.5, 1e7],
  maxSteps: [0, 1e10],
  batchTokens: [1, 1e8],
  batchExamples: [0, 1e7],
  accumulate: [0, 1e7],
  maxLength: [1, 2 ** 21],
  longTexts: ["drop", true],
  seed: [-1, 2 ** 53, 0.5],
  template: ["chatml"],
  kind: ["sql"],
  columns: [{ answer: "x" }, { prompt: 7 }, { prompt: "" }, "prompt", null],
  heldOutShare: [-0.1, 0.95],
  heldOutCount: [-1, 1.5],
  evalEvery: [-1, 0.5],
  checkpointEvery: [0],
  keepCheckpoints: [0, 1e5],
  activationCheckpoints: ["no", 0],
  activations: ["bf16", 1],
  beta: [0, 11],
};

describe("refuses what is outside its range", () => {
  test("of every option", () => {
    const all = new Set(TUNE_METHODS.flatMap(optionNames));
    expect(Object.keys(OUTSIDE).sort()).toEqual([...all].sort());
  });

  test.each(Object.entries(OUTSIDE).flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
    "%s %j",
    (name, value) => {
      const method = name === "beta" ? { method: "dpo" } : {};
      const code = name === "columns" && (value as { answer?: string } | null)?.answer ? "ERR_USAGE" : "ERR_RANGE";
      expect(() => parseTuneConfig({ ...method, [name]: value })).toThrow(
        expect.objectContaining({
          code,
          message: expect.stringContaining(`options: ${code === "ERR_RANGE" ? name : ""}`),
        }),
      );
    },
  );
});

const UNKNOWN = "an option of the method";
test.each([
  [{ rnak: 8 }, `"rnak" must be ${UNKNOWN} lora, got an unknown one`],
  [{ method: "full", rank: 8 }, `"rank" must be ${UNKNOWN} full, got an unknown one`],
  [{ beta: 0.1 }, `"beta" must be ${UNKNOWN} lora, got an unknown one`],
  [{ batchTokens: 100, batchExamples: 2 }, "batchTokens and batchExamples exclude each other, got both"],
  [{ warmupSteps: 1, warmupShare: 0.1 }, "warmupSteps and warmupShare exclude each other, got both"],
  [{ heldOutCount: 1, heldOutShare: 0.1 }, "heldOutShare and heldOutCount exclude each other, got both"],
  [[], "must be an object, got []"],
])("refuses %j", (options, message) => {
  expect(() => parseTuneConfig(options, "x.json")).toThrow(
    expect.objectContaining({ code: "ERR_USAGE", message: `x.json: ${message}` }),
  );
});

test("the guide's table has every option", () => {
  const guide = readFileSync(new URL("../../../docs/tuning.md", import.meta.url), "utf8");
  for (const name of TUNE_METHODS.flatMap(optionNames)) expect(guide).toContain(`| \`${name}\` |`);
});
