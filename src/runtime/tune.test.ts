import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import {
  adapterBytes,
  eventsOf,
  ofType,
  PREFERENCES,
  ROWS,
  SMALL,
  tempFolder,
  tinyResume,
  tinyRun,
} from "../../test/helpers/tune-runs.js";
import { parseSafetensors } from "../format/safetensors.js";
import { fileSource } from "../load/file-source.js";
import { readTrainingRun } from "../load/training-run.js";
import { GEMMA_TEMPLATE, TEMPLATE_FILE } from "../tokenizer/gemma-template.js";
import { Gemma } from "./gemma.js";
import { resumeTuning, tune } from "./tune.js";

const machine = vi.hoisted(() => ({ bytes: Number.POSITIVE_INFINITY }));
vi.mock("./memory-limit.js", () => ({ memoryLimit: () => machine.bytes }));
afterEach(() => {
  machine.bytes = Number.POSITIVE_INFINITY;
});

describe("a run", () => {
  test("tells its data, its plan, each step and its end, and leaves an adapter, metrics and checkpoints", async () => {
    const out = join(tempFolder(), "run");
    const events = await eventsOf(tinyRun(out));
    const [data] = events;
    const [plan] = ofType(events, "plan");
    expect(data).toMatchObject({ type: "data", lengths: { examples: 6 }, heldOut: { examples: 2 } });
    expect(plan).toMatchObject({ type: "plan", method: "lora", examples: 6, heldOut: 2, epochs: 2, steps: 6 });
    const steps = ofType(events, "step");
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(steps.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(ofType(events, "eval").map(({ step }) => step)).toEqual([0, 4, 6]);
    expect(ofType(events, "checkpoint").map(({ step }) => step)).toEqual([2, 4, 6]);
    const [end] = ofType(events, "end");
    expect(end).toEqual(events.at(-1));
    expect(end!.heldOut!.after).toBeLessThan(end!.heldOut!.before);
    expect(end!.costs).toMatchObject({ examples: 12, tokens: 2 * plan!.tokens });
    expect(end!.path).toBe(join(out, "adapter"));
    expect(readdirSync(out).sort()).toEqual(["adapter", "checkpoints", "config.json", "metrics.jsonl", "result.json"]);
    expect(readdirSync(join(out, "checkpoints")).sort()).toEqual(["step-000004", "step-000006"]);
    const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      events.filter(({ type }) => type === "step" || type === "eval"),
    );
  });

  test("is what a report reads", async () => {
    const out = join(tempFolder(), "run");
    const { costs, heldOut } = await tinyRun(out, { maxSteps: 2 }).result;
    const { run, model } = readTrainingRun(out);
    expect(model).toBe(TINY.gemma3);
    expect(run.config).toMatchObject({ "config.rank": 2, "config.template": "none" });
    expect(run.losses.map(({ step }) => step)).toEqual([1, 2]);
    expect(run.heldOut).toEqual([
      { step: 0, loss: heldOut!.before },
      { step: 2, loss: heldOut!.after },
    ]);
    expect(run.costs).toEqual({ steps: 2, ...costs });
  });

  test("with the same seed gives the same bytes, with another one others", async () => {
    const folder = tempFolder();
    for (const [name, seed] of [
      ["a", 7],
      ["b", 7],
      ["c", 8],
    ] as const) {
      await tinyRun(join(folder, name), { seed, dropout: 0.1, maxSteps: 3 }).result;
    }
    expect(adapterBytes(join(folder, "a"))).toEqual(adapterBytes(join(folder, "b")));
    expect(adapterBytes(join(folder, "a"))).not.toEqual(adapterBytes(join(folder, "c")));
  });

  test("that is stopped saves, and goes on to the same bytes as one that was not", async () => {
    const folder = tempFolder();
    const options = { dropout: 0.1, batchExamples: 1, accumulate: 2 };
    const whole = join(folder, "whole");
    await tinyRun(whole, options).result;
    const stopped = join(folder, "stopped");
    const run = tinyRun(stopped, options);
    for await (const event of run) if (event.type === "step" && event.step === 3) break;
    expect(existsSync(join(stopped, "checkpoints", "step-000003"))).toBe(true);
    expect(existsSync(join(stopped, "adapter"))).toBe(false);
    const controller = new AbortController();
    const second = tinyResume(stopped, { signal: controller.signal });
    for await (const event of second) {
      if (event.type !== "step") continue;
      expect(event.step).toBe(4);
      break;
    }
    await tinyResume(stopped).result;
    expect(adapterBytes(stopped)).toEqual(adapterBytes(whole));
    const numbers = (out: string) =>
      readFileSync(join(out, "metrics.jsonl"), "utf8").replaceAll(
        /"(tokensPerSecond|secondsLeft|seconds|peakBytes)":[\d.]+/g,
        "",
      );
    expect(numbers(stopped)).toBe(numbers(whole));
  });

  test("rejects with the reason of its signal", async () => {
    const controller = new AbortController();
    const run = tinyRun(join(tempFolder(), "run"), { signal: controller.signal });
    const reason = new Error("enough");
    await expect(
      (async () => {
        for await (const { type } of run) if (type === "step") controller.abort(reason);
      })(),
    ).rejects.toBe(reason);
  });

  test("that is done gives its result again, at once; without its adapter, it writes that again", async () => {
    const out = join(tempFolder(), "run");
    const result = await tinyRun(out, { maxSteps: 1 }).result;
    expect(await tinyResume(out).result).toEqual(result);
    const bytes = adapterBytes(out);
    rmSync(join(out, "adapter"), { recursive: true });
    expect(await tinyResume(out).result).toEqual(result);
    expect(adapterBytes(out)).toEqual(bytes);
  });

  test("goes on on the backend that it was begun on", async () => {
    const out = join(tempFolder(), "run");
    for await (const event of tinyRun(out)) if (event.type === "step") break;
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8")).backend).toEqual({
      name: "reference",
      isa: "js",
    });
    const events = await eventsOf(resumeTuning(out, { inProcess: true, data: ROWS }));
    expect(ofType(events, "note").map(({ text }) => text)).toContain("reference (js), 1 thread");
  });

  test("keeps activations where there is much memory, with the same bytes", async () => {
    const folder = tempFolder();
    const planned = async (name: string, bytes: number, activationCheckpoints?: boolean) => {
      machine.bytes = bytes;
      const options = { maxSteps: 2, ignoreMemory: true, ...(activationCheckpoints && { activationCheckpoints }) };
      const [plan] = ofType(await eventsOf(tinyRun(join(folder, name), options)), "plan");
      return plan!;
    };
    const [kept, short] = [await planned("kept", 1e12), await planned("short", 1e6)];
    expect([kept.activationCheckpoints, short.activationCheckpoints]).toEqual([false, true]);
    expect(kept.memory.activationsBytes).toBeGreaterThan(short.memory.activationsBytes);
    expect((await planned("told", 1e12, true)).activationCheckpoints).toBe(true);
    expect(adapterBytes(join(folder, "kept"))).toEqual(adapterBytes(join(folder, "short")));
  });

  test("of preferences makes the chosen answers likelier", async () => {
    const options = { method: "dpo", learningRate: 1e-2, beta: 0.5, checkpointEvery: 100 } as const;
    const events = await eventsOf(tinyRun(join(tempFolder(), "run"), options, PREFERENCES));
    const evals = ofType(events, "eval");
    expect(evals[0]).toMatchObject({ heldOutLoss: Math.log(2), accuracy: 0 });
    expect(evals.at(-1)!.heldOutLoss).toBeLessThan(evals[0]!.heldOutLoss);
    expect(evals.at(-1)!.accuracy).toBe(1);
  });
});

/** Mean loss of the first row's answer in a loaded model. */
async function firstAnswerLoss(model: string, adapter?: string): Promise<number> {
  const gemma = await Gemma.load(model, {
    ...{ backend: "reference", activations: "f32", inProcess: true, contextLength: 64 },
    ...(adapter === undefined ? {} : { adapters: { tuned: adapter } }),
  });
  const { prompt, completion } = ROWS[0]!;
  const [before, answer] = [await gemma.encodePrompt(prompt), await gemma.encode(completion)];
  const ids = [...before, ...answer, gemma.info.config.eosTokenIds[0]!];
  const scores = await gemma.score({ ids }, adapter === undefined ? {} : { adapter: "tuned" });
  await gemma.dispose();
  const learned = scores.logprobs.slice(before.length).map((score) => score!.logprob);
  return -learned.reduce((sum, value) => sum + value, 0) / learned.length;
}

test("the adapter has PEFT's names, loads, and changes the model's losses as the trainer has measured", async () => {
  const out = join(tempFolder(), "run");
  const { path, heldOut } = await tinyRun(out, { heldOutData: ROWS.slice(0, 1), heldOutCount: undefined }).result;
  expect(await firstAnswerLoss(TINY.gemma3)).toBeCloseTo(heldOut!.before, 5);
  expect(await firstAnswerLoss(TINY.gemma3, path)).toBeCloseTo(heldOut!.after, 5);
  const { tensors, metadata } = parseSafetensors(fileSource(join(path, "adapter_model.safetensors")));
  const paths = ["mlp.down_proj", "self_attn.q_proj", "self_attn.v_proj"];
  const sides = ["lora_A.weight", "lora_B.weight"];
  const names = Array.from({ length: 7 }, (_, layer) =>
    paths.flatMap((name) => sides.map((side) => `base_model.model.model.layers.${layer}.${name}.${side}`)),
  );
  expect([...tensors.keys()].sort()).toEqual(names.flat().sort());
  expect(Object.fromEntries(metadata)).toEqual({ format: "pt" });
  expect(JSON.parse(readFileSync(join(path, "adapter_config.json"), "utf8"))).toMatchObject({
    ...{ peft_type: "LORA", task_type: "CAUSAL_LM", r: 2, lora_alpha: 4, use_rslora: false, lora_dropout: 0 },
    ...{ target_modules: ["q_proj", "v_proj", "down_proj"], bias: "none", base_model_name_or_path: TINY.gemma3 },
  });
  expect(existsSync(join(path, TEMPLATE_FILE))).toBe(false); // this base has none, and was asked in its own way
});

test("an adapter tuned in Gemma's turns has their template beside its weights", async () => {
  const { path } = await tinyRun(join(tempFolder(), "run"), { template: "gemma", maxSteps: 1 }).result;
  expect(readFileSync(join(path, TEMPLATE_FILE), "utf8")).toBe(GEMMA_TEMPLATE);
});

describe("refuses", () => {
  test("other data, another model and a folder in use", async () => {
    const folder = tempFolder();
    const out = join(folder, "run");
    const run = tinyRun(out);
    for await (const { type } of run) if (type === "step") break;
    const others = ROWS.map(({ prompt }) => ({ prompt, completion: "other" }));
    await expect(tinyResume(out, { data: others }).result).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: `${out}: the run there must go on as it began, got other examples from the program`,
    });
    await expect(tinyRun(out).result).rejects.toThrow("must be a new or empty folder, got one with files");
  });

  test.each([
    [{ ranks: 2 }, '"ranks" must be an option of the method lora'],
    [{ method: "dpo" as const }, "the method dpo needs preferences"],
    [{ heldOutData: ROWS.slice(0, 1) }, "held-out data: must be given or drawn from the data, got both"],
  ])("%j", async (options, message) => {
    const out = join(tempFolder(), "run");
    await expect(tinyRun(out, options as object).result).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });

  test("what does not fit the machine, after the plan and before anything is written, unless it is told to", async () => {
    machine.bytes = 1e5;
    const out = join(tempFolder(), "run");
    const seen: string[] = [];
    const refused = (async () => {
      for await (const { type } of tinyRun(out, { maxSteps: 1 })) seen.push(type);
    })();
    await expect(refused).rejects.toMatchObject({
      code: "ERR_OUT_OF_MEMORY",
      message: expect.stringMatching(
        /tuning takes about .* \(weights .*, gradients and optimizer .*, activations .*\)/,
      ),
      hint: expect.stringContaining("--yes"),
    });
    expect(seen).toEqual(["data", "plan"]);
    expect(existsSync(join(out, "config.json"))).toBe(false);
    expect(await tinyRun(out, { maxSteps: 1, ignoreMemory: true }).result).toMatchObject({ steps: 1 });
  });

  test("preferences for a method that learns answers", async () => {
    await expect(tinyRun(join(tempFolder(), "run"), {}, PREFERENCES).result).rejects.toThrow("needs answers to learn");
  });
});

test("full tuning of a quantised GGUF leaves a model folder in f32 that loads and has the measured loss", async () => {
  const out = join(tempFolder(), "run");
  const { rank: _, targets: __, ...common } = SMALL;
  const full = { ...common, method: "full", learningRate: 1e-3, maxSteps: 2, checkpointEvery: 1 } as const;
  const here = { backend: "reference", inProcess: true, out } as const;
  const first = tune(TINY.gemma3, ROWS, { ...full, ...here, heldOutData: ROWS.slice(0, 1), heldOutCount: undefined });
  for await (const event of first) if (event.type === "checkpoint") break;
  const { path, heldOut } = await tinyResume(out, { heldOutData: ROWS.slice(0, 1) }).result;
  expect(path).toBe(join(out, "model"));
  expect(heldOut!.after).not.toBeCloseTo(heldOut!.before, 1); // two steps on other rows move it, either way
  expect(await firstAnswerLoss(path)).toBeCloseTo(heldOut!.after, 5);
});
