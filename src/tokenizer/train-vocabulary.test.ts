import { describe, expect, it } from "vitest";
import fc from "../../test/fast-check.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import { Tokenizer } from "./tokenizer.js";
import { bpeMerges, mergeByRank } from "./train-bpe.js";
import { trainVocabulary } from "./train-vocabulary.js";
import { vocabularyFromSentencePiece, vocabularyFromTokenizerJson } from "./vocabulary.js";
import { pieceTexts, sentencePieceBytes } from "./write-sentencepiece.js";
import { tokenizerJson } from "./write-tokenizer-json.js";

/** BPE as it is defined: every word is cut anew and every pair counted anew before each merge. */
function naiveMerges(words: ReadonlyMap<string, number>, merges: number, longest: number): string[] {
  const ranks = new Map<string, number>();
  while (ranks.size < merges) {
    const counts = new Map<string, number>();
    for (const [word, count] of words) {
      const parts = [...word];
      mergeByRank(parts, ranks);
      for (let i = 1; i < parts.length; i++) {
        const text = parts[i - 1]! + parts[i]!;
        if ([...text].length <= longest) counts.set(text, (counts.get(text) ?? 0) + count);
      }
    }
    const [best] = [...counts].sort(([a, m], [b, n]) => n - m || a.length - b.length || (a < b ? -1 : Number(a > b)));
    if (best === undefined || best[1] < 2) break;
    ranks.set(best[0], ranks.size);
  }
  return [...ranks.keys()];
}

const TEXT =
  "Es war einmal ein König, der hatte drei Söhne. Once upon a time there was a king, who had three sons; and the " +
  "third of them, the youngest, was called the simpleton. In den alten Zeiten, wo das Wünschen noch geholfen hat, " +
  "lebte ein König, dessen Töchter waren alle schön. There were 12 princesses, and 12 pairs of shoes!\n\n";

const vocabulary = trainVocabulary([TEXT, TEXT.toLowerCase()], { size: 400, coverage: 1 });
const tokenizer = Tokenizer.fromVocabulary(vocabulary);
const pieces = pieceTexts(vocabulary);

describe("bpeMerges", () => {
  it("learns what the definition says", () => {
    const word = fc
      .array(fc.constantFrom("a", "b", "c", "ü", "🌍"), { minLength: 1, maxLength: 9 })
      .map((parts) => parts.join(""));
    const words = fc.uniqueArray(fc.tuple(word, fc.integer({ min: 1, max: 9 })), {
      selector: ([text]) => text,
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 2, max: 6 }),
        (entries, merges, longest) => {
          const counts = new Map(entries);
          expect(bpeMerges(counts, { merges, longest })).toEqual(naiveMerges(counts, merges, longest));
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it("stops where no pair occurs twice", () => {
    expect(bpeMerges(new Map([["abc", 1]]), { merges: 10, longest: 16 })).toEqual([]);
    expect(bpeMerges(new Map([["aaaa", 1]]), { merges: 10, longest: 16 })).toEqual(["aa"]);
  });
});

describe("trainVocabulary", () => {
  it("makes a vocabulary of Gemma's kind", () => {
    expect(vocabulary).toMatchObject({ size: 400, bosId: 2, eosIds: [1, 6], unkId: 3, padId: 0, addBos: true });
    expect(tokenizer.controlId("<start_of_turn>")).toBe(5);
    expect(tokenizer.controlId("<end_of_turn>")).toBe(6);
    expect(Array.from(vocabulary.types.subarray(7, 263))).toEqual(Array(256).fill(TOKEN_TYPE.byte));
  });

  it("decodes to what it encodes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constant(TEXT)), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text.replaceAll("\u2581", " "));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("cuts a word as it was cut while it learned", () => {
    const ranks = new Map(pieces.slice(263 + 6).map((piece, rank) => [piece, rank]));
    for (const word of TEXT.trim().split(/\s+/)) {
      const parts = [...word];
      mergeByRank(parts, ranks);
      expect(Array.from(tokenizer.encode(word), (id) => pieces[id])).toEqual(parts);
    }
  });

  it("keeps digits, line ends, and marks behind letters apart", () => {
    const cut = (text: string) => Array.from(tokenizer.encode(text), (id) => pieces[id]);
    expect(cut("12")).toEqual(["1", "2"]);
    expect(cut(" 1")).toEqual(["\u2581", "1"]);
    expect(cut("\n\na")).toEqual(["\n\n", "a"]);
    expect(pieces.slice(269).filter((piece) => /\p{L}\P{L}/u.test(piece))).toEqual([]);
  });

  it("writes rare characters in bytes", () => {
    const few = trainVocabulary([`${"a".repeat(999)}ß`], { size: 275, coverage: 0.999 });
    expect(pieceTexts(few)).not.toContain("ß");
    expect(Tokenizer.fromVocabulary(few).decode(Tokenizer.fromVocabulary(few).encode("aß"))).toBe("aß");
  });

  it("is the same in both forms of a file", () => {
    const forms = [
      vocabularyFromSentencePiece(sentencePieceBytes(vocabulary)),
      vocabularyFromTokenizerJson([...tokenizerJson(vocabulary)].join("")),
    ];
    for (const form of forms) expect(Tokenizer.fromVocabulary(form).encode(TEXT)).toEqual(tokenizer.encode(TEXT));
  });

  it.each([
    [{ size: 260 }, "size must be"],
    [{ size: 400, coverage: 0 }, "coverage must be"],
    [{ size: 400, longest: 1 }, "longest must be"],
  ])("refuses %o", (options, message) => {
    expect(() => trainVocabulary([TEXT], options)).toThrow(
      expect.objectContaining({ code: "ERR_RANGE", message: expect.stringContaining(message) }),
    );
  });
});
