import { describe, expect, test } from "vitest";
import { KV_DTYPES } from "../../src/backend/kv.js";
import { goldenPath, openGolden, rmsDifference } from "../golden.js";
import { fidelityBackends, TestModel } from "./test-model.js";

for (const factory of await fidelityBackends()) {
  describe(`${factory.name}, activations beyond f16's range`, () => {
    const golden = openGolden(goldenPath("gguf/models/gemma3.expected.safetensors")!);
    const ids = golden.ids("p1.input_ids");
    const path = goldenPath("gguf/models/gemma3.q8_0.gguf")!;

    test.each(["f32", "int8"] as const)("%s: no NaN leaves a layer", async (activations) => {
      for (const kv of KV_DTYPES) {
        const model = await TestModel.open(factory, path, { activations, kv });
        for (const { attnNorm, ffnNorm } of model.weights.layers) {
          for (const norm of [attnNorm, ffnNorm]) {
            const values = (await model.be.read(norm)) as Float32Array;
            model.be.write(
              norm,
              values.map((value) => (1 + value) * 1e4 - 1),
            ); // inputs of both halves times 1e4
          }
        }
        const states = await model.hiddenStates([{ sequence: 0, start: 0, ids }]);
        for (const [layer, x] of [...states.layers, states.logits].entries()) {
          expect(x.every(Number.isFinite), `${kv} cache, layer ${layer}`).toBe(true);
        }
        model.dispose();
      }
    });

    test.each([
      ["bf16", 0.1],
      ["int8", 0.2],
    ] as const)("a %s cache changes logits little", async (kv, tolerance) => {
      const model = await TestModel.open(factory, path, { kv });
      const got = await model.logits([{ sequence: 0, start: 0, ids }]);
      model.dispose();
      const difference = rmsDifference(got, golden.floats("q8_0.p1.logits"));
      expect(difference).toBeGreaterThan(1e-4); // it is in use
      expect(difference).toBeLessThan(tolerance);
    });
  });
}
