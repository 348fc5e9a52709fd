import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activations } from "../../src/backend/backend.js";
import type { KvDtype } from "../../src/backend/kv.js";
import { f16ToF32 } from "../../src/base/f16.js";
import { bytesSource } from "../../src/format/byte-source.js";
import { parseSafetensors } from "../../src/format/safetensors.js";
import { fidelityBackends, TestModel } from "../fidelity/test-model.js";
import { argmax, maxDifference, rmsDifference } from "../golden.js";
import { realModelPath } from "./model-path.js";

// Oracle: transformers in f32 on the dequantised weights. Its own noise is 2e-5; llama.cpp's quantised activations
// change the NLL of a position by 0.04 to 0.13 on average, and logits by an rms of 0.16 to 0.32.

interface Prompt {
  readonly name: string;
  readonly ids: readonly number[];
  /** nll[i] is for ids[i + 1]. */
  readonly nll: readonly number[];
  readonly top20: readonly (readonly [id: number, logit: number])[];
  readonly greedy: readonly number[];
  readonly greedy_margin: readonly number[];
  readonly first_near_tie: number | null;
}

/** What a model says of a prompt and the oracle's 64 greedy tokens behind it. */
interface Run {
  readonly nll: readonly number[];
  /** At the prompt's last position. */
  readonly last: Float32Array;
  /** The most likely token where the oracle chose greedy[i]. */
  readonly choices: readonly number[];
}

const folder = new URL("../fixtures/real270m/", import.meta.url);
const prompts: readonly Prompt[] = readFileSync(new URL("prompts.jsonl", folder), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const path = realModelPath();
// Others are tested on tiny models: plain TypeScript, and shaders on a processor, take minutes for this one. On wasm it
// takes one: npm run test:wasm.
const isWasmWanted = process.env.GEMMA_WASM_WHOLE === "1";
const wanted = isWasmWanted ? ["native", "wasm"] : ["native"];
if (!isWasmWanted) console.warn("skipped: wasm with real weights, all prompts; npm run test:wasm");
const factories = (await fidelityBackends()).filter(({ name }) => wanted.includes(name));

if (factories.length === 0) test.skip("needs the native backend", () => {});

for (const factory of factories) {
  describe.skipIf(path === undefined)(`${factory.name}, Gemma 3 270M`, () => {
    describe("f32 activations", () => {
      const runs = useRuns("f32", "f32");

      test.each(prompts)("$name: NLL, most likely tokens", ({ name, nll, top20 }) => {
        const run = runs.get(name)!;
        expect(maxDifference(run.nll, nll)).toBeLessThan(5e-4);
        expect(Math.abs(mean(run.nll) - mean(nll))).toBeLessThan(5e-5);
        const [ids, logits] = [top20.map(([id]) => id), top20.map(([, logit]) => logit)];
        expect(
          maxDifference(
            ids.map((id) => run.last[id]!),
            logits,
          ),
        ).toBeLessThan(1e-3);
        expect(argmax(run.last)).toBe(ids[0]);
      });

      test("all 262,144 logits", () => {
        for (const name of ["en-fact", "long-1200"]) {
          expect(maxDifference(runs.get(name)!.last, storedLogits(name))).toBeLessThan(0.02); // stored in f16
        }
      });

      test("top-1 agreement, the oracle's tokens forced: 99.5 %", () => {
        expect(agreement(runs)).toBeGreaterThanOrEqual(0.995);
      });

      // On wasm, whose f32 products are slow: wasm.test.ts, with 8-bit activations.
      test.skipIf(factory.name === "wasm").each(prompts)(
        "$name: greedy tokens up to the first near tie",
        async ({ ids, greedy, first_near_tie }) => {
          const count = first_near_tie ?? greedy.length;
          const got = await (await model("f32", "f32")).greedy(ids, count);
          expect(got).toEqual(greedy.slice(0, count));
        },
        120_000,
      );
    });

    describe("int8 activations, bf16 cache", () => {
      const runs = useRuns("int8", "bf16");

      test.each(prompts)("$name: NLL stays near", ({ name, nll }) => {
        const run = runs.get(name)!;
        const difference = Math.abs(mean(run.nll) - mean(nll));
        expect(difference).toBeLessThan(name === "long-1200" ? 0.02 : 0.1);
      });

      test("logits: rms below 0.5", () => {
        for (const name of ["en-fact", "long-1200"]) {
          expect(rmsDifference(runs.get(name)!.last, storedLogits(name))).toBeLessThan(0.5);
        }
      });

      test("top-1 agreement, the oracle's tokens forced: 95 %, and all where the margin is above 1", () => {
        expect(agreement(runs)).toBeGreaterThanOrEqual(0.95);
        for (const { name, greedy, greedy_margin } of prompts) {
          const clear = greedy.findIndex((id, i) => greedy_margin[i]! > 1 && runs.get(name)!.choices[i] !== id);
          expect(clear, name).toBe(-1);
        }
      });
    });

    const models = new Map<string, Promise<TestModel>>();
    afterAll(async () => {
      for (const opened of models.values()) (await opened).dispose();
    });

    function model(activations: Activations, kv: KvDtype): Promise<TestModel> {
      const key = `${activations} ${kv}`;
      const options = { activations, kv, maxRows: 64, maxPositions: 1300, sequences: 1 };
      const opened = models.get(key) ?? TestModel.open(factory, path!, options);
      models.set(key, opened);
      return opened;
    }

    /** Runs every prompt once, before the tests that look at them. */
    function useRuns(activations: Activations, kv: KvDtype): ReadonlyMap<string, Run> {
      const runs = new Map<string, Run>();
      beforeAll(async () => {
        const opened = await model(activations, kv);
        for (const prompt of prompts) runs.set(prompt.name, await run(opened, prompt));
      }, 300_000);
      return runs;
    }
  });
}

async function run(model: TestModel, { ids, greedy }: Prompt): Promise<Run> {
  const end = ids.length - 1;
  const { logProbs, top, logits } = await model.score([...ids, ...greedy], end);
  return {
    nll: logProbs.slice(0, end).map((logProb) => -logProb),
    last: logits,
    choices: top.slice(end, -1),
  };
}

function agreement(runs: ReadonlyMap<string, Run>): number {
  const hits = prompts.flatMap(({ name, greedy }) => greedy.map((id, i) => Number(runs.get(name)!.choices[i] === id)));
  return mean(hits);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The logits at the prompt's last position. */
function storedLogits(name: string): Float32Array {
  const file = bytesSource("logits.safetensors", readFileSync(new URL("logits.safetensors", folder)));
  const last = prompts.find((prompt) => prompt.name === name)!.ids.length - 1;
  const info = parseSafetensors(file).tensors.get(`${name}.logits.${last}`)!;
  const bytes = info.source.read(info.offset, info.sizeBytes);
  return Float32Array.from({ length: info.shape[0]! }, (_, i) => f16ToF32(bytes[2 * i]! | (bytes[2 * i + 1]! << 8)));
}
