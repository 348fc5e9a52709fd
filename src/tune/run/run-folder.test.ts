import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../backend/backend.js";
import { referenceBackend } from "../../backends/reference/index.js";
import { fileSource } from "../../load/file-source.js";
import { Optimizer } from "../optimizer.js";
import type { TrainState } from "./checkpoint.js";
import { parseTuneConfig } from "./config.js";
import type { StepEvent } from "./events.js";
import type { RunRecord } from "./record.js";
import { isEmptyFolder, RunFolder, readRecord, readResult } from "./run-folder.js";

const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const writeSync = (file: number, bytes: Uint8Array, at: number) => {
    if (disk.room === 0) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
    const count = real.writeSync(file, bytes, at, Math.min(disk.room, bytes.length - at));
    disk.room -= count;
    return count;
  };
  return { ...real, writeSync };
});

const HASH = "0".repeat(64);
const RECORD: RunRecord = {
  version: 1,
  gemma: "0.1.0",
  backend: { name: "reference", isa: "js" },
  model: { name: "tiny", sha256: HASH },
  data: { train: ["a.jsonl"], heldOut: [], sha256: { train: HASH, heldOut: HASH } },
  config: { ...parseTuneConfig({ rank: 2 }), template: "none" },
};

let path: string;
let be: Backend;
let open: RunFolder[] = [];

beforeEach(async () => {
  path = fs.mkdtempSync(join(tmpdir(), "gemma-tune-"));
  be = await referenceBackend.create({});
});
afterEach(() => {
  disk.room = Number.POSITIVE_INFINITY;
  for (const folder of open) folder.close();
  open = [];
  be.dispose();
  fs.rmSync(path, { recursive: true });
});

async function opened(): Promise<RunFolder> {
  const folder = await RunFolder.open(path, RECORD, fileSource);
  open.push(folder);
  return folder;
}

/** Two parameters, whose values are `value` and its moments. */
function stateWith(value: number): TrainState {
  const parameters = ["b", "a"].map((name) => {
    const tensor = be.tensor("f32", [3, 2]);
    be.write(tensor, new Float32Array(6).fill(value));
    return { name, value: tensor, gradient: be.tensor("f32", [3, 2]), weight: null };
  });
  const optimizer = new Optimizer(be, parameters);
  for (const { m, v } of optimizer.states)
    for (const moment of [m, v]) be.write(moment, new Float32Array(6).fill(value / 2));
  return { be, parameters, optimizer };
}

async function valuesOf({ parameters, optimizer }: TrainState): Promise<number[]> {
  const tensors = [parameters[0]!.value, parameters[1]!.value, optimizer.states[0]!.m, optimizer.states[1]!.v];
  return Promise.all(tensors.map(async (tensor) => (await be.read(tensor))[5]!));
}

const COSTS = { tokens: 8, targets: 4, examples: 2, seconds: 1.5, peakBytes: 1e6 };
const step = (number: number): StepEvent => ({
  ...{ type: "step", step: number, steps: 9, epoch: 1, loss: number / 2, gradientNorm: 1, learningRate: 1 },
  ...{ ...COSTS, tokensPerSecond: 1, secondsLeft: 0 },
});
const lines = () => fs.readFileSync(join(path, "metrics.jsonl"), "utf8");
const checkpoint = (number: number) => join(path, "checkpoints", `step-00000${number}`);
const restored = async () => {
  const state = stateWith(0);
  const why: string[] = [];
  const folder = await opened();
  return {
    folder,
    step: await folder.restore(state, (text) => why.push(text)),
    values: await valuesOf(state),
    why,
    state,
  };
};

describe("checkpoints", () => {
  beforeEach(async () => {
    const { folder, step: none } = await restored();
    expect(none).toBe(0);
    for (const number of [1, 2, 3]) await folder.save(stateWith(number), number, 2);
  });

  test("the newest ones are kept, and the last is restored with its moments", async () => {
    expect(fs.readdirSync(join(path, "checkpoints")).sort()).toEqual(["step-000002", "step-000003"]);
    const { step: found, values, state, why } = await restored();
    expect([found, values, why]).toEqual([3, [3, 3, 1.5, 1.5], []]);
    expect(state.optimizer.stepCount).toBe(3);
  });

  test.each([
    [
      "a changed byte",
      (file: string) => {
        const bytes = fs.readFileSync(file);
        bytes[bytes.length - 5]! ^= 1;
        fs.writeFileSync(file, bytes);
      },
    ],
    ["a missing end", (file: string) => fs.truncateSync(file, 100)],
    ["a missing file", (file: string) => fs.rmSync(file)],
    ["a head that is none", (file: string) => fs.writeFileSync(join(file, "..", "checkpoint.json"), "{")],
    ["the name of another step", (file: string) => fs.renameSync(join(file, ".."), checkpoint(5))],
  ])("a damaged one falls back to the one before: %s", async (_, damage) => {
    damage(join(checkpoint(3), "state.safetensors"));
    const { step: found, values, why } = await restored();
    expect([found, values]).toEqual([2, [2, 2, 1, 1]]);
    expect(why).toEqual([expect.stringContaining(join(path, "checkpoints"))]);
  });

  test("damaged ones that are ahead do not push out what is written behind them", async () => {
    fs.truncateSync(join(checkpoint(3), "state.safetensors"), 100);
    const { folder, step: found } = await restored();
    expect(found).toBe(2);
    fs.renameSync(checkpoint(3), checkpoint(9));
    await folder.save(stateWith(4), 4, 1);
    expect(fs.readdirSync(join(path, "checkpoints"))).toEqual(["step-000004"]);
    expect(await restored()).toMatchObject({ step: 4, values: [4, 4, 2, 2], why: [] });
  });

  test("what a killed process left half made is removed", async () => {
    fs.cpSync(checkpoint(3), join(path, "checkpoints", ".part-step-000004"), { recursive: true });
    expect((await restored()).step).toBe(3);
    expect(fs.readdirSync(join(path, "checkpoints")).sort()).toEqual(["step-000002", "step-000003"]);
  });

  test.each([0, 100, 200])("a disk that is full after %i bytes leaves the older ones", async (room) => {
    const { folder } = await restored();
    disk.room = room;
    const error = await folder.save(stateWith(4), 4, 1).catch((reason: unknown) => folder.explain(reason));
    disk.room = Number.POSITIVE_INFINITY;
    expect(error).toMatchObject({
      code: "ERR_DISK_FULL",
      message: expect.stringContaining(checkpoint(4)),
      hint: `the last good checkpoint is ${checkpoint(3)}; make room, then gemma tune --resume ${path}`,
    });
    expect(fs.readdirSync(join(path, "checkpoints")).sort()).toEqual(["step-000002", "step-000003"]);
    expect((await restored()).values).toEqual([3, 3, 1.5, 1.5]);
  });
});

describe("metrics.jsonl", () => {
  test("lines behind the checkpoint are cut off, and so is a torn one", async () => {
    const { folder } = await restored();
    for (const number of [1, 2]) folder.record(step(number));
    await folder.save(stateWith(2), 2, 1);
    folder.record(step(3));
    folder.close();
    fs.appendFileSync(join(path, "metrics.jsonl"), '{"type":"step","st');
    const again = (await restored()).folder;
    expect(lines()).toBe([1, 2].map((number) => `${JSON.stringify(step(number))}\n`).join(""));
    again.record(step(3));
    expect(again.costs(3)).toEqual(COSTS);
    expect(lines().trim().split("\n").length).toBe(3);
  });

  test("a full disk leaves whole lines", async () => {
    const { folder } = await restored();
    folder.record(step(1));
    disk.room = 10;
    expect(() => folder.record(step(2))).toThrow(expect.objectContaining({ code: "ERR_DISK_FULL" }));
    disk.room = Number.POSITIVE_INFINITY;
    expect(lines()).toBe(`${JSON.stringify(step(1))}\n`);
  });
});

describe("config.json", () => {
  test.each([
    [{ model: { name: "tiny", sha256: "1".repeat(64) } }, "another model: tiny has other content"],
    [{ data: { ...RECORD.data, sha256: { train: "1".repeat(64), heldOut: HASH } } }, "other examples from a.jsonl"],
    [{ config: { ...RECORD.config, rank: 3 } as RunRecord["config"] }, "rank 3 in place of 2"],
  ])("a run goes on with what it began with: %j", async (change, message) => {
    await opened();
    await expect(RunFolder.open(path, { ...RECORD, ...change }, fileSource)).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: `${path}: the run there must go on as it began, got ${message}`,
    });
  });

  test("is read again as it was written, and refused when it is something else", async () => {
    await opened();
    expect(readRecord(path)).toEqual(JSON.parse(JSON.stringify(RECORD)));
    fs.writeFileSync(join(path, "config.json"), "{}");
    expect(() => readRecord(path)).toThrow(expect.objectContaining({ code: "ERR_INVALID_JSON" }));
  });
});

describe("result.json", () => {
  test("tells what the steps have told, and where the result is, wherever the folder went", async () => {
    const { folder } = await restored();
    folder.record({ type: "eval", step: 0, heldOutLoss: 3 });
    folder.record(step(1));
    folder.record({ type: "eval", step: 1, heldOutLoss: 2 });
    fs.mkdirSync(join(path, "adapter"));
    const result = await folder.finish("lora", 1);
    expect(result).toEqual({
      ...{ path: join(path, "adapter"), method: "lora", steps: 1, loss: 0.5, costs: COSTS },
      heldOut: { before: 3, after: 2 },
    });
    expect(readResult(path)).toEqual(result);
    const moved = join(path, "moved");
    fs.mkdirSync(moved);
    for (const name of ["adapter", "result.json"]) fs.renameSync(join(path, name), join(moved, name));
    expect(readResult(moved)?.path).toBe(join(moved, "adapter"));
    expect(readResult(path)).toBe(null);
  });

  test("without what was tuned the run is not done; another file of the name is refused", async () => {
    const { folder } = await restored();
    await folder.finish("full", 1);
    expect(readResult(path)).toBe(null);
    for (const text of ["{", "null", '{"method":"sft"}']) {
      fs.writeFileSync(join(path, "result.json"), text);
      expect(() => readResult(path)).toThrow(expect.objectContaining({ code: "ERR_INVALID_JSON" }));
    }
  });
});

test("a folder with the lock of a killed process is empty", () => {
  expect(isEmptyFolder(join(path, "none"))).toBe(true);
  fs.writeFileSync(join(path, "tune.lock"), "");
  expect(isEmptyFolder(path)).toBe(true);
  fs.writeFileSync(join(path, "mine.txt"), "");
  expect(isEmptyFolder(path)).toBe(false);
});
