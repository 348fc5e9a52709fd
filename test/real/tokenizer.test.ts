import { beforeAll, describe, expect, test } from "vitest";
import { parseGguf } from "../../src/format/gguf.js";
import { fileSource } from "../../src/load/file-source.js";
import { gemmaTurns, type Message } from "../../src/tokenizer/gemma-turns.js";
import { encodePrompt } from "../../src/tokenizer/prompt.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { vocabularyFromGguf } from "../../src/tokenizer/vocabulary.js";
import { tokenizerLines } from "../tiny-spm.js";
import { realModelPath } from "./model-path.js";

interface TextCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly plain?: readonly number[];
  readonly special?: readonly number[];
  readonly decoded?: string;
}

interface ChatCase {
  readonly messages: readonly Message[];
  readonly add_generation_prompt: boolean;
  readonly text?: string;
  readonly ids?: readonly number[];
}

const path = realModelPath();

describe.skipIf(path === undefined)("Gemma 3's own vocabulary", () => {
  let tokenizer: Tokenizer;
  beforeAll(() => {
    tokenizer = load(path!);
  });

  test("ids and text equal the reference tokenizers' on every case", () => {
    const beyond = 262_144; // <image_soft_token>, which this vocabulary does not have: text
    for (const { text, ids, plain = ids, special = plain, decoded = text } of tokenizerLines<TextCase>("cases.jsonl")) {
      const label = text.slice(0, 80);
      expect([label, Array.from(tokenizer.encode(text))]).toEqual([label, plain]);
      const withSpecials = special.includes(beyond) ? plain : special;
      expect([label, Array.from(tokenizer.encode(text, { specials: true }))]).toEqual([label, withSpecials]);
      expect(tokenizer.decode(plain)).toBe(decoded);
      const stream = tokenizer.streamDecoder();
      expect(plain.map((id) => stream.push(id)).join("") + stream.end()).toBe(decoded);
    }
  });

  test("prompts equal the template's ids where no message contains control tokens", () => {
    for (const chat of tokenizerLines<ChatCase>("chat.jsonl").filter(({ ids }) => ids !== undefined)) {
      const ids = encodePrompt(
        tokenizer,
        gemmaTurns(chat.messages, { addGenerationPrompt: chat.add_generation_prompt }),
      );
      const injected = chat.messages.some(
        ({ content }) => typeof content === "string" && /<\w+_of_turn>/.test(content),
      );
      if (!injected) expect(Array.from(ids)).toEqual(chat.ids);
      else
        expect(Array.from(ids).filter((id) => tokenizer.isControl(id))).toHaveLength(
          chat.add_generation_prompt ? 4 : 3,
        );
      expect(tokenizer.decode(ids)).toBe(chat.text);
    }
  });

  test("a line of a million characters without a space takes a second at most", () => {
    const line = "abcdefghij-_=".repeat(80_000).slice(0, 1_000_000);
    const before = process.cpuUsage();
    expect(tokenizer.decode(tokenizer.encode(line))).toBe(line);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});

function load(file: string): Tokenizer {
  const source = fileSource(file);
  try {
    return Tokenizer.fromVocabulary(vocabularyFromGguf(parseGguf(source).metadata));
  } finally {
    source.close();
  }
}
