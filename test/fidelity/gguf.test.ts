import { describe, expect, test } from "vitest";
import { goldenPath, maxDifference, openGolden, rmsDifference } from "../golden.js";
import { fidelityBackends, TestModel } from "./test-model.js";

// Oracle: a float64 reference on the dequantised weights.
const FILES = [
  ["gemma1-mqa", "f32"],
  ["gemma1-mqa", "f16"],
  ["gemma1-mqa", "q8_0"],
  ["gemma2", "f16"],
  ["gemma2", "q8_0"],
  ["gemma3", "f16"],
  ["gemma3", "q8_0"],
  ["gemma3-scaled", "q8_0"],
] as const;
const F32_TOLERANCE = 1e-3;
const INT8_RMS = 0.5; // llama.cpp's own path is off by up to 0.34 on these models
const INT8_MARGIN = 1; // greedy is compared while the two largest logits are further apart than this

for (const factory of await fidelityBackends()) {
  describe.each(FILES)(`${factory.name}, %s in %s`, (name, precision) => {
    const path = goldenPath(`gguf/models/${name}.${precision}.gguf`);
    const golden = openGolden(goldenPath(`gguf/models/${name}.expected.safetensors`)!);
    const wanted = (prompt: string) => golden.floats(`${precision}.${prompt}.logits`);

    test.skipIf(path === undefined)("f32 activations: logits and greedy", async () => {
      const model = await TestModel.open(factory, path!);
      for (const prompt of ["p0", "p1", "p2"]) {
        const got = await model.logits([{ sequence: 0, start: 0, ids: golden.ids(`${prompt}.input_ids`) }]);
        const values = wanted(prompt); // the last rows of p0
        expect(maxDifference(got.subarray(got.length - values.length), values), prompt).toBeLessThan(F32_TOLERANCE);
      }
      const greedy = golden.ids(`${precision}.p2.greedy`);
      expect(await model.greedy(golden.ids("p2.input_ids"), greedy.length)).toEqual(greedy);
      model.dispose();
    });

    if (precision !== "q8_0") return; // only quantised weights meet int8 activations
    test.skipIf(path === undefined)("int8 activations stay near", async () => {
      const model = await TestModel.open(factory, path!, { activations: "int8", kv: "bf16" });
      for (const prompt of ["p0", "p1", "p2"]) {
        const got = await model.logits([{ sequence: 0, start: 0, ids: golden.ids(`${prompt}.input_ids`) }]);
        const values = wanted(prompt);
        expect(rmsDifference(got.subarray(got.length - values.length), values), prompt).toBeLessThan(INT8_RMS);
      }
      const greedy = golden.ids(`${precision}.p2.greedy`);
      const margins = golden.floats(`${precision}.p2.greedy_margin`);
      const near = margins.findIndex((margin) => margin <= INT8_MARGIN);
      const clear = near < 0 ? greedy.length : near;
      expect(await model.greedy(golden.ids("p2.input_ids"), clear)).toEqual(greedy.slice(0, clear));
      model.dispose();
    });
  });
}
