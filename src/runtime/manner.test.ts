import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { disk } from "../load/files.js";
import { adapterManner, answerSampling, type Manner, styleOf } from "./manner.js";

const folder = mkdtempSync(join(tmpdir(), "gemma-manner-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PRE_TRAINED: Manner = { dialogue: { kind: "none" }, sampling: {} };
const TUNED: Manner = { dialogue: { kind: "gemma" }, sampling: { temperature: 0.7, topK: 20 } };

test("an adapter whose folder says nothing answers as its base", () => {
  for (const base of [PRE_TRAINED, TUNED]) expect(adapterManner(disk, folder, base)).toEqual(base);
  expect([styleOf(PRE_TRAINED), styleOf(TUNED)]).toEqual(["qa", "gemma"]);
  expect(answerSampling("qa", PRE_TRAINED)).toEqual({ temperature: 0.3 });
  expect(answerSampling("gemma", TUNED)).toEqual({ temperature: 0.7, topK: 20 });
});

test("what its folder says goes first, also for questions and answers", () => {
  writeFileSync(join(folder, "generation_config.json"), '{"temperature": 0.1}');
  expect(answerSampling("qa", adapterManner(disk, folder, PRE_TRAINED))).toEqual({ temperature: 0.1 });
  expect(adapterManner(disk, folder, TUNED).sampling).toEqual({ temperature: 0.1, topK: 20 });
  writeFileSync(join(folder, "chat_template.jinja"), "{{ messages[0].content }}");
  expect(styleOf(adapterManner(disk, folder, TUNED))).toBe("template");
});
