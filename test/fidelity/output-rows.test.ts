import { describe, expect, test } from "vitest";
import { goldenPath } from "../golden.js";
import { type Chunk, fidelityBackends, TestModel } from "./test-model.js";

// The last block computes the rows that are looked at alone. They, and what later steps see of the others, are the same
// bits as where every row is looked at.

const PROMPTS = [
  [2, 17, 40, 99, 3, 3, 250, 7, 11], // rows 0 to 8
  [2, 5], //                            9, 10
  [2, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107], // 11 to 29
];
const OUTPUT_ROWS: readonly (readonly number[])[] = [
  [],
  [4],
  [8, 10, 29],
  [0, 3, 8, 9, 12, 13, 14, 20],
  [11, 12, 29, 4, 8, 10], // sequences in another order
  Array.from({ length: 30 }, (_, row) => row),
];
const MODELS = [
  ["gemma1-mqa", null],
  ["gemma2", null],
  ["gemma3", null],
  ["gemma1-mqa", "tune/gemma1-mqa/adapter"],
  ["gemma3", "tune/gemma3/adapter"],
] as const;

for (const factory of await fidelityBackends()) {
  describe.each(MODELS)(`${factory.name}, tiny %s, adapter %s`, (name, folder) => {
    async function run(outputRows?: readonly number[]) {
      const model = await TestModel.open(factory, goldenPath(`tiny/${name}`)!, { activations: "int8", kv: "bf16" });
      const adapter = folder ? model.adapter(goldenPath(folder)!) : null;
      const chunks = PROMPTS.map(
        (ids, sequence): Chunk => ({ sequence, start: 0, ids, ...(adapter && sequence > 0 ? { adapter } : {}) }),
      );
      const logits = await model.logits(chunks, outputRows);
      const next = await model.logits(chunks.map((chunk) => ({ ...chunk, start: chunk.ids.length, ids: [20] })));
      const size = model.config.vocabSize;
      model.dispose();
      return { row: (i: number) => logits.slice(i * size, (i + 1) * size), next };
    }

    test.each(OUTPUT_ROWS.map((rows) => [rows]))("of rows %j", async (rows) => {
      const [all, some] = [await run(), await run(rows)];
      expect(rows.map((_, i) => some.row(i))).toEqual(rows.map(all.row));
      expect(some.next).toEqual(all.next);
    });
  });
}
