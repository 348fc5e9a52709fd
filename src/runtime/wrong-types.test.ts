import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";

// What TypeScript refuses, callers without it may still pass.

const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 64 } as const;

let gemma: Gemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma3, options);
});
afterAll(() => gemma.dispose());

test("no sequences at all, for which every request would wait", async () => {
  await expect(Gemma.load(TINY.gemma3, { ...options, maxSequences: 0 })).rejects.toMatchObject({ code: "ERR_RANGE" });
});

test("an unknown chat style", async () => {
  await expect(gemma.chat({ style: "llama" as "qa" }).send("Hi").result).rejects.toMatchObject({
    code: "ERR_USAGE",
    message: expect.stringMatching(/^chat style: must be gemma, qa or template, got llama/),
  });
});

test("a prompt that is none: told as unexpected, and the model goes on", async () => {
  await expect(gemma.generate(5 as unknown as string).result).rejects.toMatchObject({
    code: "ERR_INTERNAL",
    hint: expect.stringContaining("wrong type"),
  });
  expect((await gemma.generate("a", { maxTokens: 1 }).result).ids).toHaveLength(1);
});
