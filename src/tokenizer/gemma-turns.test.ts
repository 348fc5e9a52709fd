import { expect, test } from "vitest";
import { tinyVocabularies, tokenizerLines } from "../../test/tiny-spm.js";
import { gemmaTurns, type Message } from "./gemma-turns.js";
import { encodePrompt, type Segment } from "./prompt.js";
import { Tokenizer } from "./tokenizer.js";

interface ChatCase {
  readonly messages: readonly Message[];
  readonly add_generation_prompt: boolean;
  readonly text?: string;
  readonly error?: string;
}

const cases = tokenizerLines<ChatCase>("chat.jsonl");
const turnsOf = (chat: ChatCase) => gemmaTurns(chat.messages, { addGenerationPrompt: chat.add_generation_prompt });
const asText = (segments: readonly Segment[]) =>
  segments.map((segment) => (segment.kind === "text" ? segment.text : segment.name)).join("");

test("the turns read as the template of Gemma 3 writes them, or fail where it does", () => {
  for (const chat of cases) {
    if (chat.text === undefined) {
      expect(() => turnsOf(chat)).toThrow(expect.objectContaining({ code: "ERR_TEMPLATE" }));
    } else expect(`<bos>${asText(turnsOf(chat))}`).toBe(chat.text);
  }
  expect(cases.filter((chat) => chat.text === undefined)).toHaveLength(8);
});

test("control tokens come from the template alone", () => {
  const tokenizer = Tokenizer.fromVocabulary(tinyVocabularies.gguf());
  for (const chat of cases.filter(({ text }) => text?.includes("<start_of_image>") === false)) {
    const ids = encodePrompt(tokenizer, turnsOf(chat));
    const controls = Array.from(ids).filter((id) => tokenizer.isControl(id));
    const perTurn = chat.messages.filter(({ role }) => role !== "system").flatMap(() => [4, 5]);
    expect(controls).toEqual([2, ...perTurn, ...(chat.add_generation_prompt ? [4] : [])]);
    expect(tokenizer.decode(ids)).toBe(chat.text);
  }
});

test("content is trimmed as Python trims it, in linear time", () => {
  const turn = (content: string) => asText(gemmaTurns([{ role: "user", content }], { addGenerationPrompt: false }));
  const wrapped = (content: string) => `<start_of_turn>user\n${content}<end_of_turn>\n`;
  expect(turn("\x1c\x85\u3000 a b \u2028\xa0")).toBe(wrapped("a b"));
  expect(turn("\ufeffa\u200b")).toBe(wrapped("\ufeffa\u200b"));
  expect(turn(`${" ".repeat(200_000)}a${" ".repeat(200_000)}`)).toBe(wrapped("a"));
});

test("conversations that do not fit the template are refused", () => {
  const options = { addGenerationPrompt: true };
  const refused = expect.objectContaining({ code: "ERR_TEMPLATE" });
  const user: Message = { role: "user", content: "a" };
  const system: Message = { role: "system", content: "s" };
  expect(() => gemmaTurns([], options)).toThrow(refused);
  expect(() => gemmaTurns([system], options)).toThrow(refused);
  expect(() => gemmaTurns([system, system, user], options)).toThrow(refused);
  expect(() => gemmaTurns([user, user], options)).toThrow(/messages\[1\]: roles must alternate/);
  expect(() => gemmaTurns([system, user, user], options)).toThrow(/messages\[2\]: roles must alternate/);
  expect(() => gemmaTurns([{ role: "system", content: [{ type: "image" }] }, user], options)).toThrow(refused);
});
