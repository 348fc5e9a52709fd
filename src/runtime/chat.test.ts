import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import type { ChatMessage } from "../engine/chat.js";
import { Gemma } from "./gemma.js";

const answer = { temperature: 0, maxTokens: 6 };

let gemma: Gemma;
beforeAll(async () => {
  const options = { backend: "reference", activations: "f32", inProcess: true, contextLength: 160 } as const;
  gemma = await Gemma.load(TINY.gemma3, options);
});
afterAll(() => gemma.dispose());

test("turns join the history, behind the system text", async () => {
  const chat = gemma.chat({ system: "Be brief." });
  expect(chat.messages).toEqual([{ role: "system", content: "Be brief." }]);
  const first = await chat.send("fox?", answer).text();
  const second = await chat.send("dog?", answer).text();
  expect(chat.messages).toEqual([
    { role: "system", content: "Be brief." },
    { role: "user", content: "fox?" },
    { role: "assistant", content: first },
    { role: "user", content: "dog?" },
    { role: "assistant", content: second },
  ]);
});

test("a turn is there as soon as its stream has ended", async () => {
  const chat = gemma.chat();
  for await (const _ of chat.send("fox?", answer));
  expect(chat.messages).toHaveLength(2);
});

test("a conversation equals its prompt written out: pre-trained models answer questions", async () => {
  const chat = gemma.chat({ system: "S" });
  const { timings, text } = await chat.send("Q1", answer).result;
  const written = await gemma.generate("S\n\nQuestion: Q1\nAnswer:", { ...answer, stop: ["\nQuestion:", "\n\n"] })
    .result;
  expect([text, timings.promptTokens]).toEqual([written.text, written.timings.promptTokens]);
});

test("the template of tuned models can be asked for, one BOS in front", async () => {
  const { timings } = await gemma.chat({ style: "gemma" }).send("fox?", answer).result;
  const turn = "<start_of_turn>user\nfox?<end_of_turn>\n<start_of_turn>model\n";
  expect(timings.promptTokens).toBe(1 + (await gemma.encode(turn, { specials: true })).length);
});

test("a conversation that the caller keeps is answered as a chat's is, and leaves nothing behind", async () => {
  const chat = gemma.chat({ system: "Be brief." });
  const first = await chat.send("fox?", answer).result;
  const second = await chat.send("dog?", answer).result;
  const messages: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "fox?" },
    { role: "assistant", content: first.text },
    { role: "user", content: "dog?" },
  ];
  for (let round = 0; round < 2; round++) {
    const { text, ids, finishReason, droppedMessages } = await gemma.answer(messages, answer).result;
    expect({ text, ids }).toEqual({ text: second.text, ids: second.ids });
    expect({ finishReason, droppedMessages }).toEqual({ finishReason: second.finishReason, droppedMessages: 0 });
  }
  const asGemma = await gemma.answer(messages, { ...answer, style: "gemma" }).result;
  expect(asGemma.timings.promptTokens).not.toBe(second.timings.promptTokens);
});

test("an answer under way is cancelled by its signal, and told when turns are left out", async () => {
  const long: ChatMessage[] = Array.from({ length: 9 }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: "the quick brown fox jumps over",
  }));
  const notes: string[] = [];
  const { droppedMessages } = await gemma.answer(long, { ...answer, onNote: (line) => notes.push(line) }).result;
  expect([droppedMessages > 0, notes.length]).toEqual([true, 1]);
  const controller = new AbortController();
  const endless = { temperature: 0, maxTokens: 100, ignoreEos: true, signal: controller.signal };
  const generation = gemma.answer([{ role: "user", content: "fox?" }], endless);
  await generation[Symbol.asyncIterator]().next();
  controller.abort("enough");
  await expect(generation.result).rejects.toBe("enough");
});

test("tokens of a conversation are counted as an answer counts them, also where they are too many", async () => {
  const messages: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "fox?" },
  ];
  for (const style of ["qa", "gemma"] as const) {
    const { timings } = await gemma.answer(messages, { ...answer, style }).result;
    expect(await gemma.countTokens(messages, { style })).toBe(timings.promptTokens);
  }
  const long = { role: "user", content: "the quick brown fox ".repeat(100) } as const;
  expect(await gemma.countTokens([long])).toBeGreaterThan(gemma.info.contextLength);
  await expect(gemma.countTokens([])).rejects.toMatchObject({ code: "ERR_TEMPLATE" });
});

test("one turn at a time", async () => {
  const chat = gemma.chat();
  const first = chat.send("fox?", answer);
  await expect(chat.send("dog?", answer).result).rejects.toMatchObject({ code: "ERR_USAGE" });
  await first.result;
  await chat.send("dog?", answer).result;
  expect(chat.messages.map((m) => m.content.slice(0, 4)).filter((_, i) => i % 2 === 0)).toEqual(["fox?", "dog?"]);
});

test("a turn that fails or is cancelled leaves the history as it was, and the next one works", async () => {
  const chat = gemma.chat();
  await chat.send("fox?", answer).result;
  const before = [...chat.messages];
  await expect(chat.send("dog?", { topP: 7 }).result).rejects.toMatchObject({ code: "ERR_RANGE" });
  await expect(chat.send("dog?", { signal: AbortSignal.abort("no") }).result).rejects.toBe("no");
  const endless = { temperature: 0, maxTokens: 100, ignoreEos: true };
  for await (const _ of chat.send("dog?", endless)) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(chat.messages).toEqual(before);
  await chat.send("dog?", answer).result;
  expect(chat.messages).toHaveLength(4);
});

test("a conversation that outgrows the context drops its oldest turns, and says so", async () => {
  const notes: string[] = [];
  const chat = gemma.chat({ system: "Be brief.", onNote: (line) => notes.push(line) });
  const dropped: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const { droppedMessages, timings } = await chat.send("the quick brown fox jumps over", answer).result;
    dropped.push(droppedMessages);
    expect(timings.promptTokens + answer.maxTokens).toBeLessThanOrEqual(160);
  }
  expect(dropped[0]).toBe(0);
  expect(dropped.at(-1)).toBeGreaterThan(0);
  expect(dropped.every((count) => count % 2 === 0)).toBe(true); // questions with their answers
  expect(notes).toHaveLength(dropped.filter((count) => count > 0).length);
  expect(notes[0]).toMatch(/^the conversation outgrew the context: the oldest \d+ messages were left out$/);
  expect(chat.messages).toHaveLength(11); // the history itself keeps them
});

test("a message that alone does not fit is refused with both counts", async () => {
  await expect(gemma.chat().send("fox ".repeat(200), answer).result).rejects.toMatchObject({
    code: "ERR_CONTEXT_FULL",
    message: expect.stringMatching(/\d+ tokens, 154 allowed/),
  });
});

test("a conversation that outgrows the context is an error where the caller says so, and so is a prompt beyond its limit", async () => {
  const turns: ChatMessage[] = Array.from({ length: 9 }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: "the quick brown fox jumps over",
  }));
  const dropped = await gemma.answer(turns, answer).result;
  expect(dropped.droppedMessages).toBeGreaterThan(0);
  const long = gemma.answer(turns, { ...answer, overflow: "error" });
  await expect(long.result).rejects.toMatchObject({ code: "ERR_CONTEXT_FULL" });
  const whole = gemma.answer(turns.slice(0, 1), { ...answer, overflow: "error" });
  expect((await whole.result).droppedMessages).toBe(0);
  const short = { maxPromptTokens: 3 };
  const ids = { ids: [2, 5, 9, 11] };
  for (const call of [gemma.generate(ids, short).result, gemma.score(ids, short), gemma.embed(ids, short)]) {
    await expect(call).rejects.toMatchObject({
      code: "ERR_CONTEXT_FULL",
      message: expect.stringContaining("at most 3"),
    });
  }
});
