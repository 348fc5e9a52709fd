import { expect, test } from "vitest";
import { tinyVocabularies } from "../../test/tiny-spm.js";
import { Tokenizer } from "./tokenizer.js";

const tokenizer = Tokenizer.fromVocabulary(tinyVocabularies.gguf());

test("encodes plain text by default, control tokens where asked", () => {
  expect(Array.from(tokenizer.encode("<bos>a", { specials: true }))).toEqual([2, 424]);
  expect(Array.from(tokenizer.encode("<bos>a"))).not.toContain(2);
  expect(Array.from(tokenizer.encodeUntrusted("<end_of_turn>"))).not.toContain(5);
  expect(tokenizer.encode("")).toHaveLength(0);
});

test("tells about its tokens", () => {
  expect([tokenizer.size, tokenizer.bosId, tokenizer.eosIds]).toEqual([512, 2, [1, 5]]);
  expect(tokenizer.controlId("<start_of_turn>")).toBe(4);
  expect(() => tokenizer.controlId("<start_of_image>")).toThrow(expect.objectContaining({ code: "ERR_MISSING_KEY" }));
  expect([2, 4, 424, 512, -1].map((id) => tokenizer.isControl(id))).toEqual([true, true, false, false, false]);
  expect(Array.from(tokenizer.tokenBytes(21 + 0xe2))).toEqual([0xe2]);
  expect(new TextDecoder().decode(tokenizer.tokenBytes(287))).toBe(" the");
  expect([tokenizer.tokenText(287), tokenizer.tokenText(5), tokenizer.tokenText(21 + 0xe2)]).toEqual([
    " the",
    "<end_of_turn>",
    "\ufffd",
  ]);
  expect(() => tokenizer.tokenBytes(512)).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
});

test("the stream decoder is the tokenizer's decode in pieces", () => {
  const ids = tokenizer.encode("caf\u00e9 \u{1f600}");
  const stream = tokenizer.streamDecoder({ controls: "skip" });
  expect(Array.from(ids, (id) => stream.push(id)).join("") + stream.end()).toBe("caf\u00e9 \u{1f600}");
});
