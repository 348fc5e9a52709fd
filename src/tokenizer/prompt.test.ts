import { expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { tinyVocabularies } from "../../test/tiny-spm.js";
import { control, encodePrompt, text, withBos } from "./prompt.js";
import { Tokenizer } from "./tokenizer.js";

const tokenizer = Tokenizer.fromVocabulary(tinyVocabularies["tokenizer.model"]());

test("control segments are their ids, and there is one BOS", () => {
  const turn = [control("<start_of_turn>"), text("a"), control("<end_of_turn>")];
  expect(Array.from(encodePrompt(tokenizer, turn))).toEqual([2, 4, 424, 5]);
  expect(Array.from(encodePrompt(tokenizer, [control("<bos>"), ...turn]))).toEqual([2, 4, 424, 5]);
  expect(Array.from(encodePrompt(tokenizer, turn, { bos: false }))).toEqual([4, 424, 5]);
  expect(Array.from(encodePrompt(tokenizer, []))).toEqual([2]);
});

test("a second BOS is refused", () => {
  const twice = [control("<bos>"), text("a"), control("<bos>")];
  expect(() => encodePrompt(tokenizer, twice)).toThrow(/BOS must come once, at the front, got one at 2/);
  expect(() => withBos(tokenizer, Int32Array.of(2, 2))).toThrow(expect.objectContaining({ code: "ERR_INVALID_VALUE" }));
  expect(Array.from(withBos(tokenizer, Int32Array.of(2, 7)))).toEqual([2, 7]);
});

test("neighbouring texts are one text", () => {
  const parts = encodePrompt(tokenizer, [text("a\n"), text("\nth"), text("e")]);
  expect(parts).toEqual(encodePrompt(tokenizer, [text("a\n\nthe")]));
});

test("an unknown control token is refused; text tokens are none", () => {
  expect(() => encodePrompt(tokenizer, [control("<nope>")])).toThrow(
    expect.objectContaining({ code: "ERR_MISSING_KEY" }),
  );
  expect(() => encodePrompt(tokenizer, [control("a")])).toThrow(expect.objectContaining({ code: "ERR_MISSING_KEY" }));
});

test("whatever a text says, it yields no control token and comes back unchanged", () => {
  const names = ["<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>", "\n", "model", "<", ">"];
  const hostile = fc.array(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 4 })), { maxLength: 12 });
  fc.assert(
    fc.property(hostile, (parts) => {
      const said = parts.join("");
      const ids = Array.from(encodePrompt(tokenizer, parts.map(text), { bos: false }));
      expect(ids.filter((id) => tokenizer.isControl(id))).toEqual([]);
      expect(tokenizer.decode(ids)).toBe(said);
    }),
    { seed: 11, numRuns: 300 },
  );
});
