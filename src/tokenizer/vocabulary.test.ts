import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { badCaseBytes, badCases, expectCase } from "../../test/bad-cases.js";
import { ggufMetadata, tinyVocabularies } from "../../test/tiny-spm.js";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { hashBytes } from "./token-index.js";
import { vocabularyFromGguf, vocabularyFromSentencePiece, vocabularyFromTokenizerJson } from "./vocabulary.js";

describe("malformed tokenizer files", () => {
  for (const badCase of badCases("tokenizer")) {
    test(`${badCase.id}: ${badCase.what}`, () => {
      const file = (name: string) => ({ ...badCase, path: `${badCase.path}/${name}` });
      const folder = fileURLToPath(new URL(`../../test/fixtures/bad/${badCase.path}/`, import.meta.url));
      if (existsSync(`${folder}tokenizer.json`)) {
        const bytes = badCaseBytes(file("tokenizer.json"));
        expectCase(badCase, () => vocabularyFromTokenizerJson(bytes));
      } else {
        const bytes = badCaseBytes(file("tokenizer.model"));
        expectCase(badCase, () => vocabularyFromSentencePiece(bytes));
      }
    });
  }
});

describe("vocabularies in GGUF files", () => {
  const wanted = ["control-model", "tokens-numbers", "scores-nan", "bos-out-of-range", "tokens-duplicate"];
  for (const badCase of badCases("gguf").filter(({ id }) => wanted.some((name) => id.endsWith(name)))) {
    test(`${badCase.id}: ${badCase.what}`, () => {
      const { metadata } = parseGguf(bytesSource(badCase.path, badCaseBytes(badCase)));
      expectCase(badCase, () => vocabularyFromGguf(metadata));
    });
  }
});

describe("checks", () => {
  const read = (tokens: string[], types: number[], more: readonly (readonly [string, unknown])[] = []) => {
    const scores = tokens.map((_, i) => -i);
    return () =>
      vocabularyFromGguf(
        new Map([...ggufMetadata(tokens, scores, types), ...more.map(([k, v]) => [`tokenizer.ggml.${k}`, v] as const)]),
      );
  };
  const code = (name: string) => expect.objectContaining({ code: name });

  test("each array and role must be right", () => {
    expect(read(["<unk>", "b"], [2, 1])).not.toThrow();
    expect(read(["<unk>", "b"], [2])).toThrow(code("ERR_INVALID_VALUE"));
    expect(read(["<unk>", "b"], [2, 7])).toThrow(/type of token 1 must be 1 to 6/);
    expect(read(["<unk>", "b"], [2, 257])).toThrow(code("ERR_INVALID_VALUE"));
    expect(read(["<unk>", ""], [2, 1])).toThrow(/token 1 must have text/);
    expect(read([" ", "\u2581"], [1, 1])).toThrow(code("ERR_DUPLICATE_NAME"));
    expect(read([], [])).toThrow(code("ERR_INVALID_VALUE"));
    expect(read(["<unk>"], [2], [["scores", Float32Array.of(Number.POSITIVE_INFINITY)]])).toThrow(
      code("ERR_INVALID_VALUE"),
    );
    expect(read(["<unk>"], [2], [["scores", "x"]])).toThrow(code("ERR_INVALID_TYPE"));
    expect(read(["<unk>"], [2], [["eos_token_id", "1"]])).toThrow(code("ERR_INVALID_TYPE"));
    expect(read(["<unk>"], [2], [["unknown_token_id", 1]])).toThrow(code("ERR_INVALID_VALUE"));
    expect(read(["<unk>"], [2], [["model", "gpt2"]])).toThrow(code("ERR_UNSUPPORTED_OPTION"));
    expect(read(["<unk>"], [2], [["add_space_prefix", true]])).toThrow(code("ERR_UNSUPPORTED_OPTION"));
    expect(read(["a"], [1])).toThrow(/must have byte tokens or an unknown token/);
    expect(() => vocabularyFromGguf(new Map())).toThrow(code("ERR_MISSING_KEY"));
  });

  test("byte tokens are all or none, and named as bytes", () => {
    expect(read(["a", "<0x41>"], [1, 6])).toThrow(/byte tokens must cover all bytes, got no <0x00>/);
    const names = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
    expect(read(names, new Array(256).fill(6))).not.toThrow();
    expect(read([...names, "x"], new Array(257).fill(6))).toThrow(/named <0x00> to <0xFF>, got 1 others/);
  });

  test("roles come from the file, else from the usual names", () => {
    const tokens = ["<bos>", "<eos>", "<end_of_turn>", "x", "<unk>"];
    const types = [3, 3, 4, 3, 2];
    const byName = read(tokens, types)();
    expect(byName).toMatchObject({ bosId: 0, eosIds: [1, 2], unkId: 4, padId: undefined, addBos: true });
    const given = read(tokens, types, [
      ["bos_token_id", 3],
      ["eos_token_id", 2],
      ["add_bos_token", false],
    ])();
    expect(given).toMatchObject({ bosId: 3, eosIds: [2], addBos: false });
    expect(Array.from(byName.control)).toEqual([1, 1, 1, 1, 1]);
  });
});

test("Gemma's reserved tokens are control tokens, also where a file counts them as text", () => {
  const tokens = ["<mask>", "<unused0>", "<unused98>", "<start_of_turn>", "<end_of_turn>", "<b>", "<unk>"];
  const vocabulary = vocabularyFromGguf(ggufMetadata(tokens, new Array(7).fill(0), [4, 4, 4, 4, 4, 4, 2]));
  expect(Array.from(vocabulary.types)).toEqual([3, 3, 3, 3, 3, 4, 2]);
  const exported = vocabularyFromGguf(
    ggufMetadata(["<start_of_turn>", "<end_of_turn>", "<unk>"], [0, 0, 0], [1, 4, 2]),
  );
  expect(Array.from(exported.types)).toEqual([3, 4, 2]);
});

test("tokens of one hash are told apart, and equal ones refused", () => {
  // A polynomial hash with an odd base is the same for this sequence and its complement.
  const bit = (i: number) => i.toString(2).replaceAll("0", "").length & 1;
  const [even, odd] = ["ab", "ba"].map((pair) => Array.from({ length: 2048 }, (_, i) => pair[bit(i)]).join(""));
  const utf8 = (text: string) => new TextEncoder().encode(text);
  expect(hashBytes(utf8(even!), 0, 2048)).toBe(hashBytes(utf8(odd!), 0, 2048));
  const of = (tokens: string[]) =>
    vocabularyFromGguf(
      ggufMetadata(
        tokens,
        tokens.map(() => 0),
        [2, ...tokens.slice(1).map(() => 1)],
      ),
    );
  const { index } = of(["<unk>", even!, odd!, "c"]);
  expect([even!, odd!, "c", "d"].map((text) => index.findText(text))).toEqual([1, 2, 3, -1]);
  expect(() => of(["<unk>", even!, odd!, even!])).toThrow(/tokens must differ, got "ab.*" as 1 and 3/);
});

test("the three forms of one vocabulary agree", () => {
  const [first, ...others] = Object.values(tinyVocabularies).map((read) => read());
  for (const other of others) {
    expect(other.size).toBe(first!.size);
    expect(Buffer.compare(other.bytes, first!.bytes)).toBe(0);
    expect(other.starts).toEqual(first!.starts);
    expect(other.types).toEqual(first!.types);
    expect([other.bosId, other.eosIds, other.unkId, other.padId]).toEqual([2, [1, 5], 3, 0]);
  }
});
