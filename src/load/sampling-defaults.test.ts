import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { disk } from "./files.js";
import { samplingDefaults } from "./sampling-defaults.js";

const folder = mkdtempSync(join(tmpdir(), "gemma-sampling-"));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (json: string) => {
  writeFileSync(join(folder, "generation_config.json"), json);
  return samplingDefaults(disk, folder);
};

test("a folder without the file, and what one says", () => {
  expect(samplingDefaults(disk, folder)).toEqual({});
  expect(read('{"do_sample": true, "temperature": 0.5, "top_k": 20, "top_p": 0.9, "eos_token_id": [1, 106]}')).toEqual({
    temperature: 0.5,
    topK: 20,
    topP: 0.9,
  });
  expect(read('{"temperature": null}')).toEqual({});
  expect(read('{"do_sample": false, "temperature": 0.5}')).toEqual({ temperature: 0 });
  expect(read('{"repetition_penalty": 1.1}')).toEqual({ repetitionPenalty: 1.1 });
  expect(read('{"do_sample": false, "repetition_penalty": 1.1}')).toEqual({ temperature: 0, repetitionPenalty: 1.1 });
});

test.each([
  ["[]", "ERR_INVALID_TYPE", "must be an object, got an array"],
  ['{"do_sample": "no"}', "ERR_INVALID_TYPE", "do_sample: must be true or false, got string"],
  ['{"do_sample": false, "top_k": 20.7}', "ERR_RANGE", "top_k: must be an integer, got 20.7"],
  ['{"temperature": "hot"}', "ERR_INVALID_TYPE", "temperature: must be a number, got string"],
  ['{"temperature": -1}', "ERR_RANGE", "temperature: must be in 0..100, got -1"],
  ['{"repetition_penalty": 0}', "ERR_RANGE", "repetition_penalty: must be in 0.001..1000, got 0"],
  ['{"top_p": 1.5}', "ERR_RANGE", "top_p: must be in 0..1, got 1.5"],
  ["{", "ERR_INVALID_JSON", ""],
])("%s is refused", (json, code, message) => {
  expect(() => read(json)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
