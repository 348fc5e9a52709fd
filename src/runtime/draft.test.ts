import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";

const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;
const folder = mkdtempSync(join(tmpdir(), "gemma-draft-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a draft model is loaded beside the model, and said so", async () => {
  const phases = new Set<string>();
  await using gemma = await Gemma.load(TINY.gemma3, {
    ...options,
    draftModel: TINY.gemma1,
    onProgress: ({ phase, what }) => phases.add(`${phase} ${what}`),
  });
  expect(phases).toEqual(new Set([`weights ${TINY.gemma3}`, `weights ${TINY.gemma1}`]));
  expect(gemma.info.draftModel).toBe("gemma1-mqa.q8_0.gguf");
  await using bare = await Gemma.load(TINY.gemma3, options);
  expect(bare.info).not.toHaveProperty("draftModel");
  const greedy = { temperature: 0, maxTokens: 20, ignoreEos: true };
  const [drafted, wanted] = await Promise.all([gemma, bare].map((each) => each.generate("the quick", greedy).result));
  expect(drafted!.ids).toEqual(wanted!.ids);
});

describe("refused", () => {
  test("a draft model with more tokens", async () => {
    await expect(Gemma.load(TINY.gemma2, { ...options, draftModel: TINY.gemma3 })).rejects.toMatchObject({
      code: "ERR_BASE_MISMATCH",
      message: `draft model ${TINY.gemma3}: must have the 512 tokens of ${TINY.gemma2}, got 768`,
    });
  });

  test("a draft model with another token", async () => {
    const bytes = readFileSync(TINY.gemma2);
    const word = bytes.indexOf("\u2581the"); // a token's text
    expect(word).toBeGreaterThan(0);
    bytes.write("\u2581thy", word);
    const path = join(folder, "other.gguf");
    writeFileSync(path, bytes);
    await expect(Gemma.load(TINY.gemma2, { ...options, draftModel: path })).rejects.toMatchObject({
      code: "ERR_BASE_MISMATCH",
      message: expect.stringMatching(/other\.gguf: must have the tokens of .*gemma2.*, got another token \d+$/),
      hint: "choose a smaller model of the same generation",
    });
  });

  test.each([
    ["a missing one", "./no/such.gguf", "ERR_MISSING_FILE"],
    ["one of a wrong type", 5 as never, "ERR_USAGE"],
  ])("%s", async (_, draftModel, code) => {
    await expect(Gemma.load(TINY.gemma3, { ...options, draftModel })).rejects.toMatchObject({ code });
  });

  test("models whose tokens nobody knows", async () => {
    const bare = new URL("../../test/fixtures/tiny/gemma3", import.meta.url).pathname;
    await expect(Gemma.load(bare, { ...options, draftModel: bare })).rejects.toMatchObject({
      code: "ERR_MISSING_FILE",
      message: expect.stringMatching(/a draft model needs a tokenizer to compare, got none$/),
    });
  });
});
