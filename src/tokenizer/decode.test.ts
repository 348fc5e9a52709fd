import { expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { tinyVocabularies, tokenizerLines } from "../../test/tiny-spm.js";
import { decode, StreamDecoder } from "./decode.js";
import { Encoder } from "./encode.js";

const vocabulary = tinyVocabularies.gguf();
const encoder = new Encoder(vocabulary);

/** `text` with U+FFFD for lone surrogates. */
const wellFormed = (text: string): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));

function decodeByOne(ids: readonly number[], options = {}): { text: string; pieces: string[] } {
  const stream = new StreamDecoder(vocabulary, options);
  const pieces = ids.map((id) => stream.push(id));
  pieces.push(stream.end());
  return { text: pieces.join(""), pieces };
}

test("SentencePiece's ids decode to its text, whole and in a stream", () => {
  for (const { ids, decoded } of tokenizerLines<{ ids: number[]; decoded: string }>("tiny-spm/cases.jsonl")) {
    expect(decode(vocabulary, ids)).toBe(decoded);
    expect(decodeByOne(ids).text).toBe(decoded);
  }
});

test("any text comes back from its ids", () => {
  const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 40 }));
  fc.assert(
    fc.property(texts, (text) => {
      const ids = encoder.encode(text, "plain");
      expect(decode(vocabulary, ids)).toBe(wellFormed(text.replaceAll("\u2581", " ")));
    }),
    { seed: 3, numRuns: 200 },
  );
});

test("any ids: the stream gives the same text as the whole, and never half a character", () => {
  const anyId = fc.oneof(fc.nat(vocabulary.size - 1), fc.integer({ min: 21, max: 276 })); // more of the byte tokens
  fc.assert(
    fc.property(fc.array(anyId, { maxLength: 40 }), fc.constantFrom("keep", "skip"), (ids, controls) => {
      const { text, pieces } = decodeByOne(ids, { controls });
      expect(text).toBe(decode(vocabulary, ids, { controls }));
      for (const piece of pieces) expect(wellFormed(piece)).toBe(piece);
    }),
    { seed: 5, numRuns: 1000 },
  );
});

test("a character in bytes appears with its last byte", () => {
  const ids = [...new TextEncoder().encode("\u{1f600}\u4e2d")].map((byte) => 21 + byte);
  expect(decodeByOne(ids).pieces).toEqual(["", "", "", "\u{1f600}", "", "", "\u4e2d", ""]);
});

test("broken characters become U+FFFD, at the end too", () => {
  const bytes = (...values: number[]) => values.map((byte) => 21 + byte);
  expect(decodeByOne([...bytes(0xf0, 0x9f), 424]).pieces).toEqual(["", "", "\ufffda", ""]);
  expect(decodeByOne(bytes(0xe4, 0xb8)).pieces).toEqual(["", "", "\ufffd"]);
});

test("control tokens appear by name, or not", () => {
  expect(decode(vocabulary, [2, 4, 424, 5, 1])).toBe("<bos><start_of_turn>a<end_of_turn><eos>");
  expect(decode(vocabulary, [2, 4, 424, 5, 1], { controls: "skip" })).toBe("a");
  expect(decode(vocabulary, [18, 424, 19], { controls: "skip" })).toBe("<b>a</b>");
});

test("a byte order mark is text", () => {
  const ids = encoder.encode("\ufeffa", "plain");
  expect(decode(vocabulary, ids)).toBe("\ufeffa");
  expect(decodeByOne([...ids]).text).toBe("\ufeffa");
});

test("an id that is no token is refused", () => {
  for (const id of [-1, 512, 1.5, Number.NaN]) {
    expect(() => decode(vocabulary, [id])).toThrow(expect.objectContaining({ code: "ERR_RANGE" }));
    expect(() => new StreamDecoder(vocabulary).push(id)).toThrow(/id must be 0 to 511/);
  }
});
