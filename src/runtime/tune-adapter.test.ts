import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { adapterBytes, PREFERENCES, ROWS, SMALL, tempFolder, tinyRun } from "../../test/helpers/tune-runs.js";
import type { TuneOptions } from "../tune/run/config.js";
import type { TuneEvent } from "../tune/run/events.js";
import type { EngineLink } from "./link.js";
import { openEngine } from "./link-node.js";

// The oracle is a run of its own, in a folder: the same rows and options give the same bytes.

let engine: EngineLink;
beforeEach(async () => {
  engine = openEngine(true);
  await engine.call("load", { model: TINY.gemma3, backend: "reference", activations: "f32", contextLength: 256 });
});
afterEach(() => engine.dispose());

const GREEDY = { temperature: 0, maxTokens: 8, ignoreEos: true };

async function tuned(options: TuneOptions, rows: Parameters<typeof tinyRun>[2] = ROWS, signal?: AbortSignal) {
  const events: TuneEvent[] = [];
  const settings = { rows: rows as typeof ROWS, heldOutRows: [], options };
  const result = await engine.call("tuneAdapter", settings, {
    signal,
    onEvent: (event) => event.kind === "tune" && events.push(event.event),
  });
  const file = (name: string) => Buffer.from(result.files.find((one) => one.name === name)!.bytes);
  return { result, events, file };
}

async function ids(): Promise<readonly number[]> {
  const found: number[] = [];
  await engine.call(
    "generate",
    { prompt: "ab", options: GREEDY },
    {
      onEvent: (event) => event.kind === "pieces" && found.push(...event.pieces.map(({ id }) => id!)),
    },
  );
  return found;
}

test("on a loaded model: the weights of a run in a folder, and the model answers as before", async () => {
  const out = join(tempFolder(), "run");
  const run = await tinyRun(out).result;
  const before = await ids();
  const { result, events, file } = await tuned(SMALL);
  expect(file("adapter_model.safetensors").equals(adapterBytes(out))).toBe(true);
  expect(JSON.parse(file("adapter_config.json").toString())).toMatchObject({ peft_type: "LORA", r: 2 });
  expect(result).toMatchObject({ steps: 6, loss: run.loss, heldOut: run.heldOut });
  expect(events.map(({ type }) => type).filter((type) => type !== "step")).toEqual([
    ...["data", "plan", "eval", "eval", "eval"],
  ]);
  expect(await ids()).toEqual(before);
});

test("preferences, too", async () => {
  const out = join(tempFolder(), "run");
  const options = { ...SMALL, method: "dpo" } as const;
  await tinyRun(out, options, PREFERENCES).result;
  const { file } = await tuned(options, PREFERENCES);
  expect(file("adapter_model.safetensors").equals(adapterBytes(out))).toBe(true);
});

test("answers while it learns", async () => {
  const before = await ids();
  let isLearning = true;
  const learning = tuned({ ...SMALL, epochs: 8 }).finally(() => {
    isLearning = false;
  });
  expect(await ids()).toEqual(before);
  expect(isLearning).toBe(true);
  await learning;
});

test("stops when it is told to, and the model stays", async () => {
  const before = await ids();
  const controller = new AbortController();
  const learning = tuned({ ...SMALL, epochs: 1000 }, ROWS, controller.signal);
  setTimeout(() => controller.abort(new Error("enough")), 100);
  await expect(learning).rejects.toThrow("enough");
  expect(await ids()).toEqual(before);
});

test.each([
  [{ method: "full" }, "ERR_USAGE"],
  [{ activations: "int8" }, "ERR_USAGE"],
  [{ rank: 0 }, "ERR_RANGE"],
] as const)("refuses %j", async (options, code) => {
  await expect(tuned(options as TuneOptions)).rejects.toMatchObject({ code });
});

test("tells every broken row", async () => {
  const rows = [{ prompt: "a", completion: "b" }, { prompt: "a" }, { text: 3 }];
  await expect(tuned(SMALL, rows)).rejects.toMatchObject({
    code: "ERR_BAD_DATA",
    message: expect.stringMatching(/rows\[1\][\s\S]*rows\[2\]/),
  });
});
