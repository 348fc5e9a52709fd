import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileSource } from "./file-source.js";

test("what stands in an array in place of an object is told by its kind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-array-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "a.json");
  writeFileSync(path, '[{"text": "a"}, 5, null, ["b"], "c"]');
  const told: string[] = [];
  for await (const record of (await fileSource(path)).records()) {
    told.push("problem" in record ? `${record.at}: ${record.problem}` : JSON.stringify(record.row));
  }
  expect(told).toEqual([
    '{"text":"a"}',
    `${path}[1]: must be a JSON object, got a number`,
    `${path}[2]: must be a JSON object, got null`,
    `${path}[3]: must be a JSON object, got an array`,
    `${path}[4]: must be a JSON object, got a string`,
  ]);
});
