import { expect, test } from "vitest";
import { tokenizerFixture } from "../../test/tiny-spm.js";
import { GemmaError } from "../base/errors.js";
import { parseSentencePiece } from "./sentencepiece.js";

const model = tokenizerFixture("tiny-spm/tokenizer.model");
const arrays = JSON.parse(new TextDecoder().decode(tokenizerFixture("tiny-spm/vocab.json")));

test("tokens, scores, types and roles equal those that SentencePiece reports", () => {
  const table = parseSentencePiece(model, "tokenizer.model");
  const tokens = Array.from({ length: table.size }, (_, id) =>
    new TextDecoder().decode(table.bytes.subarray(table.starts[id], table.ends[id])),
  );
  // vocab.json holds a GGUF's form, in which the runs of spaces are written as spaces.
  const spaced = (token: string, id: number) => (arrays.types[id] === 4 ? token.replaceAll("\u2581", " ") : token);
  expect(tokens.map(spaced)).toEqual(arrays.tokens);
  expect(Array.from(table.scores)).toEqual(arrays.scores);
  expect(Array.from(table.types)).toEqual(arrays.types);
  expect(table).toMatchObject({ bosId: 2, eosId: 1, unkId: 3, padId: 0 });
});

test("a model that would give other ids is refused", () => {
  // The spec messages end the file: `18 02` is model_type 2, `18 00` and `20 00` are the normalizer's two flags.
  const patched = (from: readonly number[], to: readonly number[]): Uint8Array => {
    const bytes = Uint8Array.from(model);
    const at = Buffer.from(bytes).lastIndexOf(Buffer.from(from));
    expect(at).toBeGreaterThan(0);
    bytes.set(to, at);
    return bytes;
  };
  const wanted = { code: "ERR_UNSUPPORTED_OPTION" };
  const read = (bytes: Uint8Array) => () => parseSentencePiece(bytes, "tokenizer.model");
  expect(read(patched([0x18, 0x02, 0x20, 0x80], [0x18, 0x01]))).toThrow(expect.objectContaining(wanted));
  expect(read(patched([0x18, 0x00, 0x20, 0x00], [0x18, 0x01]))).toThrow(/add_dummy_prefix must be false, got true/);
  expect(read(patched([0x18, 0x00, 0x20, 0x00], [0x18, 0x00, 0x20, 0x01]))).toThrow(/remove_extra_whitespaces/);
});

test("cut anywhere, the file is refused", () => {
  for (let length = 0; length < model.length; length += 7) {
    expect(() => parseSentencePiece(model.subarray(0, length), "tokenizer.model")).toThrow(GemmaError);
  }
});

test("more tokens than any model has are refused before they fill the memory", () => {
  const bytes = new Uint8Array(2 * ((1 << 21) + 1)); // pieces of two bytes, without any text
  for (let at = 0; at < bytes.length; at += 2) bytes[at] = 0x0a;
  expect(() => parseSentencePiece(bytes, "tokenizer.model")).toThrow(
    expect.objectContaining({ code: "ERR_LIMIT_EXCEEDED" }),
  );
});
