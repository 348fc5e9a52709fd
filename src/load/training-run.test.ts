import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTrainingRun } from "./training-run.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gemma-training-run-"));
  mkdirSync(join(folder, "adapter"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

test("settings, losses and costs of a run", () => {
  const record = {
    model: { name: "/models/base.gguf", sha256: "ab" },
    data: { train: ["/data/a.jsonl", "hf:owner/name"], heldOut: null },
    config: { rank: 8, targets: ["q", "v"], template: "gemma" },
  };
  write("config.json", JSON.stringify(record));
  const step = (n: number, loss: number) => ({
    type: "step",
    step: n,
    loss,
    tokens: 100 * n,
    seconds: 2 * n,
    peakBytes: 1e9,
  });
  const whole = lines({ type: "eval", step: 0, heldOutLoss: 4 }, step(1, 3), step(2, 2), {
    type: "eval",
    step: 2,
    heldOutLoss: 2.5,
  });
  write("metrics.jsonl", `${whole}{"type":"step","step":3,"lo`);
  const { run, model, template, result } = readTrainingRun(folder);
  expect([model, template]).toEqual(["/models/base.gguf", "gemma"]);
  expect(result).toEqual({ kind: "adapter", path: join(folder, "adapter") });
  expect(run.config).toEqual({
    ...{
      "model.name": "base.gguf",
      "model.sha256": "ab",
      "data.train": "a.jsonl, hf:owner/name",
      "data.heldOut": null,
    },
    ...{ "config.rank": 8, "config.targets": "q, v", "config.template": "gemma" },
  });
  expect(run.losses).toEqual([
    { step: 1, loss: 3 },
    { step: 2, loss: 2 },
  ]);
  expect(run.heldOut).toEqual([
    { step: 0, loss: 4 },
    { step: 2, loss: 2.5 },
  ]);
  expect(run.costs).toEqual({ steps: 2, tokens: 200, seconds: 4, peakBytes: 1e9 });
});

test("a long run keeps some hundred points, both ends among them", () => {
  write("config.json", "{}");
  write("metrics.jsonl", lines(...Array.from({ length: 5000 }, (_, i) => ({ type: "step", step: i + 1, loss: i }))));
  const { losses, costs } = readTrainingRun(folder).run;
  expect(losses.length).toBeLessThan(410);
  expect(losses.at(0)!.step).toBe(1);
  expect(losses.at(-1)!.step).toBe(5000);
  expect(costs).toEqual({ steps: 5000 });
});

test("full tuning has a model in place of an adapter; a run without a result is told", () => {
  write("config.json", "{}");
  expect(readTrainingRun(folder).run).toMatchObject({ losses: [], heldOut: [], costs: {} });
  rmSync(join(folder, "adapter"), { recursive: true });
  expect(() => readTrainingRun(folder)).toThrow(
    expect.objectContaining({ code: "ERR_MISSING_FILE", hint: expect.stringContaining("--resume") }),
  );
  mkdirSync(join(folder, "model"));
  expect(readTrainingRun(folder).result).toEqual({ kind: "model", path: join(folder, "model") });
});

test("what is no run's folder is told", () => {
  expect(() => readTrainingRun(folder)).toThrow(expect.objectContaining({ code: "ERR_MISSING_FILE" }));
  write("config.json", "[1]");
  expect(() => readTrainingRun(folder)).toThrow(/must be a JSON object/);
  write("config.json", "{}");
  write("metrics.jsonl", "{}\nnonsense\n");
  expect(() => readTrainingRun(folder)).toThrow(/metrics\.jsonl:2: must be a JSON object/);
});
