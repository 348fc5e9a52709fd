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

const five = 5 as never;
test.each<[what: string, call: () => Promise<unknown>, says: string]>([
  ["a model", () => Gemma.load(five, options), "model: must be a string, got 5"],
  ["a prompt", () => gemma.generate(five).result, "prompt: must be a string, { ids } or segments, got 5"],
  ["no prompt", () => gemma.score(undefined as never), "prompt: must be a string, { ids } or segments, got undefined"],
  ["ids", () => gemma.embed({ ids: five }), "prompt ids: must be an array of token ids, got 5"],
  [
    "segments",
    () => gemma.score([{ kind: "text" } as never]),
    "prompt: must be a string, { ids } or segments, got an array",
  ],
  ["a message", () => gemma.chat().send(five).result, "chat message: must be a string, got 5"],
  ["messages", () => gemma.answer(five).result, "messages: must be an array, got 5"],
  [
    "a call",
    () =>
      gemma.answer([{ role: "assistant", content: "", toolCalls: [{ id: "1", name: five, arguments: {} }] }]).result,
    "messages[0].toolCalls[0].name: must be a string, got 5",
  ],
  [
    "arguments",
    () =>
      gemma.answer([{ role: "assistant", content: "", toolCalls: [{ id: "1", name: "f", arguments: five }] }]).result,
    "messages[0].toolCalls[0].arguments: must be an object of JSON values, got 5",
  ],
  [
    "a call's id",
    () => gemma.answer([{ role: "tool", content: "", toolCallId: five }]).result,
    "messages[0].toolCallId: must be a string, got 5",
  ],
  ["a text", () => gemma.encode(five), "text: must be a string, got 5"],
  ["ids to decode", () => gemma.decode(five), "ids: must be an array of token ids, got 5"],
  ["a stop string", () => gemma.generate("a", { stop: five }).result, "stop must be a string or an array of strings"],
  [
    "a stop string in chat",
    () => gemma.chat().send("a", { stop: five }).result,
    "stop must be a string or an array of strings",
  ],
])("%s of a wrong type is wrong usage, and the model goes on", async (_, call, says) => {
  await expect(call()).rejects.toMatchObject({ code: "ERR_USAGE", message: says });
  expect((await gemma.generate("a", { maxTokens: 1 }).result).ids).toHaveLength(1);
});
