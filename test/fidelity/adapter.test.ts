import { describe, expect, test } from "vitest";
import { goldenPath, maxDifference, openGolden } from "../golden.js";
import { fidelityBackends, TestModel } from "./test-model.js";

// Oracle: PEFT on Hugging Face transformers in f32.
const TOLERANCE = 1e-3;

for (const factory of await fidelityBackends()) {
  describe.each(["gemma1-mqa", "gemma3"])(`${factory.name}, LoRA adapter on %s`, (name) => {
    const golden = openGolden(goldenPath(`tune/${name}/expected.safetensors`)!);
    const [rows = 0, width = 0] = golden.shape("input_ids");
    const ids = golden.ids("input_ids");
    const mask = golden.ids("attention_mask");
    const prompts = Array.from({ length: rows }, (_, row) =>
      ids.slice(row * width, (row + 1) * width).filter((_, i) => mask[row * width + i] === 1),
    );

    test("logits with the adapter, prompts in one step", async () => {
      const model = await TestModel.open(factory, goldenPath(`tiny/${name}`)!);
      const adapter = model.adapter(goldenPath(`tune/${name}/adapter`)!);
      const got = await model.logits(prompts.map((prompt, sequence) => ({ sequence, start: 0, ids: prompt, adapter })));
      const size = model.config.vocabSize;
      const wanted = golden.floats("adapter.logits"); // [rows, width, V], right-padded
      let at = 0;
      for (const [row, prompt] of prompts.entries()) {
        const length = prompt.length * size;
        const expected = wanted.subarray(row * width * size, row * width * size + length);
        expect(maxDifference(got.subarray(at, at + length), expected), `row ${row}`).toBeLessThan(TOLERANCE);
        at += length;
      }
      model.dispose();
    });

    test("a step that mixes rows with and without it keeps both apart", async () => {
      const model = await TestModel.open(factory, goldenPath(`tiny/${name}`)!);
      const adapter = model.adapter(goldenPath(`tune/${name}/adapter`)!);
      const [first, second, third] = prompts as [number[], number[], number[]];
      const alone = async (prompt: readonly number[], adapted: boolean) =>
        model.logits([{ sequence: 0, start: 0, ids: prompt, ...(adapted ? { adapter } : {}) }]);
      const wanted = [...(await alone(first, false)), ...(await alone(second, true)), ...(await alone(third, false))];
      const got = await model.logits([
        { sequence: 0, start: 0, ids: first },
        { sequence: 1, start: 0, ids: second, adapter },
        { sequence: 2, start: 0, ids: third },
      ]);
      expect(maxDifference(got, wanted)).toBe(0); // row invariance: the same bits in any batch
      model.dispose();
    });
  });
}
