import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TINY } from "../../../test/helpers/tiny-models.js";
import { GemmaError } from "../../base/errors.js";
import { Gemma } from "../../runtime/gemma.js";
import type { LoadProgress } from "../../runtime/protocol.js";
import { createLanguageModel } from "./index.js";

let gemma: Gemma;
let LanguageModel: ReturnType<typeof createLanguageModel>;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;
  gemma = await Gemma.load(TINY.gemma3, options);
  LanguageModel = createLanguageModel(gemma);
});
afterAll(() => gemma.dispose());

test("what a loaded text model can do", async () => {
  expect(await LanguageModel.availability()).toBe("available");
  const text = {
    expectedInputs: [{ type: "text", languages: ["en", "ja"] }],
    expectedOutputs: [{ type: "tool-call" }],
  } as const;
  expect(await LanguageModel.availability(text)).toBe("available");
  const image = { expectedInputs: [{ type: "image" }] } as const;
  expect(await LanguageModel.availability(image)).toBe("unavailable");
  await expect(LanguageModel.create(image)).rejects.toMatchObject({ name: "NotSupportedError" });
  const noLanguage = { expectedInputs: [{ type: "text", languages: ["not a language"] }] } as const;
  await expect(LanguageModel.availability(noLanguage)).rejects.toThrow(RangeError);
  expect(await LanguageModel.params()).toEqual({
    defaultTopK: 64,
    maxTopK: 128,
    defaultTemperature: 1,
    maxTemperature: 2,
  });
});

test("a load is monitored, shared by sessions, and tried again after a failure", async () => {
  let fail = (_: Error) => {};
  let finish = (_: Gemma) => {};
  let progress = (_: LoadProgress) => {};
  const load = vi.fn(({ onProgress }) => {
    progress = onProgress;
    return new Promise<Gemma>((resolve, reject) => {
      finish = resolve;
      fail = reject;
    });
  });
  const lazy = createLanguageModel(load);
  expect(await lazy.availability()).toBe("downloadable");
  const first = lazy.create();
  expect(await lazy.availability()).toBe("downloading");
  fail(new GemmaError("ERR_NETWORK", "the cable is out"));
  await expect(first).rejects.toMatchObject({ name: "NetworkError", message: "the cable is out" });
  expect(await lazy.availability()).toBe("downloadable");

  const seen: number[] = [];
  const monitor = (target: EventTarget) =>
    target.addEventListener("downloadprogress", (event) => seen.push((event as ProgressEvent).loaded));
  const both = [lazy.create({ monitor }), lazy.create()];
  for (const done of [0, 30, 20, 60, 100]) progress({ phase: "download", what: "x", done, total: 100 });
  progress({ phase: "weights", what: "x", done: 1, total: 2 });
  finish(gemma);
  await Promise.all(both);
  expect(load).toHaveBeenCalledTimes(2);
  expect(seen).toEqual([0, 0.3, 0.6, 1]);
  expect(await lazy.availability()).toBe("available");
});

test("an aborted creation rejects with the reason; the load goes on for others", async () => {
  let finish = (_: Gemma) => {};
  const lazy = createLanguageModel(
    () =>
      new Promise<Gemma>((resolve) => {
        finish = resolve;
      }),
  );
  const controller = new AbortController();
  const aborted = lazy.create({ signal: controller.signal });
  const other = lazy.create();
  controller.abort("changed my mind");
  await expect(aborted).rejects.toBe("changed my mind");
  finish(gemma);
  expect((await other).contextUsage).toBe(0);
});

test("sampling: numbers, their limits, and modes", async () => {
  const numbers = await LanguageModel.create({ temperature: Number.POSITIVE_INFINITY, topK: 3.7 });
  expect([numbers.temperature, numbers.topK, numbers.samplingMode]).toEqual([2, 3, "balanced"]);
  const mode = await LanguageModel.create({ samplingMode: "most-predictable" });
  expect([mode.temperature, mode.topK, mode.samplingMode]).toEqual([0, 64, "most-predictable"]);
  await expect(LanguageModel.create({ temperature: -1 })).rejects.toThrow(RangeError);
  await expect(LanguageModel.create({ topK: 0 })).rejects.toThrow(RangeError);
  await expect(LanguageModel.create({ topK: 1, samplingMode: "creative" })).rejects.toThrow(TypeError);
});
