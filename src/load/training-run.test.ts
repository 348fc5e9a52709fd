import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTrainingRun } from "./training-run.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gemma-training-run-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

test("settings, losses and costs of a run", () => {
  write(
    "config.json",
    JSON.stringify({ model: { name: "/models/base.gguf" }, config: { rank: 8, targets: ["q", "v"] } }),
  );
  write(
    "metrics.jsonl",
    lines(
      { step: 1, loss: 3, tokens: 100, peakBytes: 5 },
      { step: 2, loss: 2, tokens: 200, peakBytes: 9, seconds: 4 },
      { step: 2, heldOutLoss: 2.5 },
      { note: "something else" },
      { step: 3, loss: 1, tokens: 300, peakBytes: 7, seconds: 6 },
    ).concat('{"step":4,"lo'),
  );
  const { run, model } = readTrainingRun(folder);
  expect(model).toBe("/models/base.gguf");
  expect(run.config).toEqual({ "model.name": "base.gguf", "config.rank": 8, "config.targets": "q, v" });
  expect(run.steps).toEqual([
    { step: 1, loss: 3 },
    { step: 2, loss: 2, heldOutLoss: 2.5 },
    { step: 3, loss: 1 },
  ]);
  expect(run.costs).toEqual({ tokens: 300, peakBytes: 9, seconds: 6 });
});

test("a long run keeps some hundred points, both ends and every held-out loss", () => {
  write("config.json", "{}");
  const steps = Array.from({ length: 5000 }, (_, i) => ({
    step: i,
    loss: i,
    ...(i === 1234 ? { heldOutLoss: 1 } : {}),
  }));
  write("metrics.jsonl", lines(...steps));
  const { run } = readTrainingRun(folder);
  expect(run.steps.length).toBeLessThan(410);
  expect(run.steps.at(0)!.step).toBe(0);
  expect(run.steps.at(-1)!.step).toBe(4999);
  expect(run.steps.filter(({ heldOutLoss }) => heldOutLoss === 1)).toHaveLength(1);
});

test("a folder without metrics has no curve, one without config is none", () => {
  write("config.json", "{}");
  expect(readTrainingRun(folder).run).toMatchObject({ steps: [], costs: {} });
  rmSync(join(folder, "config.json"));
  expect(() => readTrainingRun(folder)).toThrow(expect.objectContaining({ code: "ERR_MISSING_FILE" }));
  write("config.json", "[1]");
  expect(() => readTrainingRun(folder)).toThrow(/must be a JSON object/);
  write("config.json", "{}");
  write("metrics.jsonl", "{}\nnonsense\n");
  expect(() => readTrainingRun(folder)).toThrow(/metrics\.jsonl:2: must be a JSON object/);
});
