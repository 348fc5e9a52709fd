import { describe, expect, it } from "vitest";
import { ggufMetadata, tinyVocabularies, tokenizerLines } from "../../test/tiny-spm.js";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { type GgufWritable, ggufLayout, ggufPairs } from "../format/gguf-write.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import { Encoder } from "./encode.js";
import {
  type Vocabulary,
  vocabularyFromGguf,
  vocabularyFromSentencePiece,
  vocabularyFromTokenizerJson,
} from "./vocabulary.js";
import { ggufTokenizer } from "./write-gguf.js";
import { pieceTexts, sentencePieceBytes } from "./write-sentencepiece.js";
import { tokenizerJson } from "./write-tokenizer-json.js";

const cases = tokenizerLines<{ readonly text: string; readonly ids: readonly number[] }>("tiny-spm/cases.jsonl");

const fromPairs = (pairs: [string, GgufWritable][]) =>
  vocabularyFromGguf(parseGguf(bytesSource("written", ggufLayout(ggufPairs(pairs), []).header)).metadata);

const FORMS: Record<string, (vocabulary: Vocabulary) => Vocabulary> = {
  "tokenizer.model": (vocabulary) => vocabularyFromSentencePiece(sentencePieceBytes(vocabulary)),
  "tokenizer.json": (vocabulary) => vocabularyFromTokenizerJson([...tokenizerJson(vocabulary)].join("")),
  gguf: (vocabulary) => fromPairs(ggufTokenizer(vocabulary, vocabulary.size, null)),
};

describe.each(Object.entries(FORMS))("a vocabulary written as %s", (form, rewrite) => {
  it.each(Object.entries(tinyVocabularies))("and read from %s gives SentencePiece's ids", (_, read) => {
    const before = read();
    const after = rewrite(before);
    const encoder = new Encoder(after);
    for (const { text, ids } of cases) expect([text, Array.from(encoder.encode(text, "plain"))]).toEqual([text, ids]);
    expect(pieceTexts(after)).toEqual(pieceTexts(before));
    const { bosId, eosIds, unkId, padId, addBos, control } = before;
    expect(after).toMatchObject({ bosId, eosIds, unkId, padId, addBos, control });
  });

  it("keeps tokens that are hard to write", () => {
    const tokens = ["<unk>", "\ufeff", '"', "\\", "\n", "\u2581\u2581", "\ud83c\udf89", "\0", "a", "aa"];
    const types = [2, 1, 1, 1, 4, 4, 1, 1, 1, 1];
    const vocabulary = vocabularyFromGguf(ggufMetadata(tokens, [0, ...tokens.slice(1).map((_, i) => -i)], types));
    expect(pieceTexts(rewrite(vocabulary))).toEqual(tokens);
    if (form !== "tokenizer.json") expect(rewrite(vocabulary).scores).toEqual(vocabulary.scores);
  });
});

describe("tokenizer.json", () => {
  it("is the file of the reference, but for what its writer chose", () => {
    const json = JSON.parse([...tokenizerJson(tinyVocabularies["tokenizer.model"]())].join(""));
    expect(json.model).toMatchObject({ type: "BPE", unk_token: "<unk>", byte_fallback: true, fuse_unk: true });
    expect(json.post_processor.special_tokens["<bos>"].ids).toEqual([2]);
    const bos = json.added_tokens.find(({ content }: { content: string }) => content === "<bos>");
    expect(bos).toMatchObject({ id: 2, special: true, normalized: false });
    const run = json.added_tokens.find(({ content }: { content: string }) => content === "\u2581\u2581");
    expect(run).toMatchObject({ special: false, normalized: true });
    expect(json.model.merges[0]).toEqual(["\u2581", "\u2581"]);
  });
});

describe("GGUF", () => {
  it("has a token for each row of the embedding", () => {
    const vocabulary = tinyVocabularies.gguf();
    const padded = fromPairs(ggufTokenizer(vocabulary, vocabulary.size + 2, "template"));
    expect(padded.size).toBe(vocabulary.size + 2);
    expect(pieceTexts(padded).at(-1)).toBe(`[PAD${vocabulary.size + 1}]`);
    expect(padded.types.at(-1)).toBe(TOKEN_TYPE.unused);
    expect(() => ggufTokenizer(vocabulary, vocabulary.size - 1, null)).toThrow(
      expect.objectContaining({ code: "ERR_UNSUPPORTED_OPTION" }),
    );
  });
});

describe("tokenizer.model", () => {
  it("must have an unknown token", () => {
    const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
    const vocabulary = vocabularyFromGguf(ggufMetadata(bytes, Array(256).fill(0), Array(256).fill(6)));
    expect(() => sentencePieceBytes(vocabulary)).toThrow(expect.objectContaining({ code: "ERR_MISSING_KEY" }));
  });
});
