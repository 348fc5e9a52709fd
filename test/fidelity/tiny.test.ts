import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webgpuBackend } from "../../src/backends/webgpu/index.js";
import { type Golden, goldenPath, maxDifference, openGolden } from "../golden.js";
import { useSwiftShader } from "../helpers/swiftshader.js";
import { fidelityBackends, TestModel } from "./test-model.js";

// Oracle: Hugging Face transformers in f32, eager attention, checked by a float64 re-implementation; the noise of
// f32 is 2e-5 to 1.3e-4, the faintest known bug changes logits by 1.9e-3.
const TOLERANCE = 1e-3;
const MODELS = ["gemma1-mqa", "gemma1-mha", "gemma2", "gemma3", "gemma3-scaled"];
const PROMPTS = ["p0", "p1", "p2"];
const BF16_MODELS = [
  ["sharded, Gemma 1", "gemma1-mha/bf16", "gemma1-mha"],
  ["sharded, Gemma 2", "gemma2/bf16", "gemma2"],
  ["sharded, Gemma 3", "gemma3/bf16", "gemma3"],
  ["the text tower of a multimodal checkpoint", "gemma3-mm", "gemma3-scaled"],
] as const;

/** A GPU in software is slow: the quick tests have a part of this on it, npm run test:webgpu all. */
const isWhole = process.env.GEMMA_WEBGPU_WHOLE === "1";
useSwiftShader();

for (const factory of await fidelityBackends([webgpuBackend])) {
  const isPart = factory.name === "webgpu" && !isWhole;
  if (isPart) console.warn("webgpu: two of the tiny models, one greedy text each; npm run test:webgpu has the rest");
  describe.each(isPart ? ["gemma2", "gemma3"] : MODELS)(`${factory.name}, tiny %s`, (name) => {
    let model: TestModel;
    let golden: Golden;
    beforeAll(async () => {
      model = await TestModel.open(factory, goldenPath(`tiny/${name}`)!);
      golden = openGolden(goldenPath(`tiny/${name}/expected.safetensors`)!);
    });
    afterAll(() => model.dispose());

    test.each(PROMPTS)("%s: embedding, every layer, final norm and logits", async (prompt) => {
      const got = await model.hiddenStates([{ sequence: 0, start: 0, ids: golden.ids(`${prompt}.input_ids`) }]);
      const differences = {
        embed: maxDifference(got.embed, golden.floats(`${prompt}.embed`)),
        ...Object.fromEntries(
          got.layers.map((x, layer) => [layer, maxDifference(x, golden.floats(`${prompt}.layer.${layer}`))]),
        ),
        finalNorm: maxDifference(got.finalNorm, golden.floats(`${prompt}.final_norm`)),
        logits: maxDifference(got.logits, golden.floats(`${prompt}.logits`)),
      };
      for (const [what, difference] of Object.entries(differences)) expect(difference, what).toBeLessThan(TOLERANCE);
    });

    test("a prompt in chunks, at uneven borders", { timeout: 60_000 }, async () => {
      const ids = golden.ids("p0.input_ids");
      const wanted = golden.floats("p0.logits");
      const size = model.config.vocabSize;
      const borders = [0, 1, 8, 31, 32, 33, 50, ids.length];
      for (const [i, start] of borders.slice(0, -1).entries()) {
        const end = borders[i + 1]!;
        const got = await model.logits([{ sequence: 1, start, ids: ids.slice(start, end) }]);
        const difference = maxDifference(got, wanted.subarray(start * size, end * size));
        expect(difference, `positions ${start} to ${end}`).toBeLessThan(TOLERANCE);
      }
    });

    test("three prompts in one ragged step, then a mix of chunks and single tokens", { timeout: 60_000 }, async () => {
      const prompts = PROMPTS.map((prompt) => golden.ids(`${prompt}.input_ids`));
      const step = async (ranges: readonly (readonly [number, number])[]) => {
        const got = await model.logits(
          ranges.map(([start, end], sequence) => ({ sequence, start, ids: prompts[sequence]!.slice(start, end) })),
        );
        const size = model.config.vocabSize;
        const wanted = ranges.map(([start, end], i) =>
          golden.floats(`${PROMPTS[i]}.logits`).subarray(start * size, end * size),
        );
        expect(
          maxDifference(
            got,
            wanted.flatMap((rows) => [...rows]),
          ),
        ).toBeLessThan(TOLERANCE);
      };
      await step(prompts.map((ids) => [0, ids.length] as const));
      await step(prompts.map((ids) => [0, ids.length - 4] as const));
      await step(prompts.map((ids, i) => [ids.length - 4, ids.length - [1, 3, 2][i]!] as const));
    });

    test.each(isPart ? ["p0"] : PROMPTS)("%s: 32 greedy tokens, exactly", { timeout: 60_000 }, async (prompt) => {
      const ids = await model.greedy(golden.ids(`${prompt}.input_ids`), 32);
      expect(ids).toEqual(golden.ids(`${prompt}.greedy`));
    });
  });

  describe(`${factory.name}, bf16 weights computed in f32`, () => {
    for (const [what, folder, expected] of BF16_MODELS) {
      const path = goldenPath(`tiny/${folder}`);
      test.skipIf(path === undefined)(what, async () => {
        const golden = openGolden(goldenPath(`tiny/${expected}/expected.safetensors`)!);
        const model = await TestModel.open(factory, path!);
        const got = await model.logits([{ sequence: 0, start: 0, ids: golden.ids("p1.input_ids") }]);
        model.dispose();
        expect(maxDifference(got, golden.floats("bf16.p1.logits"))).toBeLessThan(TOLERANCE);
      });
    }
  });
}
