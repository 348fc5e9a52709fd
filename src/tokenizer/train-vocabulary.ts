import { GemmaError } from "../base/errors.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import { bpeMerges } from "./train-bpe.js";
import { byteTokenName, makeVocabulary, type Vocabulary } from "./vocabulary.js";

export interface TrainVocabularyOptions {
  /** Number of tokens, control and byte tokens among them. */
  readonly size: number;
  /** Share of all characters that get a token; the rarest others are written in bytes. Above 0, at most 1. Default: 0.9999. */
  readonly coverage?: number;
  /** Characters of a piece at most. Default: 16. */
  readonly longest?: number;
}

const DEFAULT_COVERAGE = 0.9999;
const DEFAULT_LONGEST = 16;

/** In Gemma's order, so that the first ids are Gemma's. */
const CONTROL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"];
/** Found as a whole: line ends and runs of spaces are part of no other piece. */
const USER_DEFINED = ["\n", "\n\n", "\n\n\n", "\t", "\u2581\u2581", "\u2581\u2581\u2581\u2581"];

/**
 * What a piece may be made within, as SentencePiece is set up for Gemma: letters with the space before them, marks with the
 * space before them, a digit by itself. Spaces are U+2581.
 */
const WORDS = /\u2581?[\p{L}\p{M}]+|\p{N}|\u2581?[^\p{L}\p{M}\p{N}\u2581\s]+|\u2581/gu;

/**
 * A vocabulary of Gemma's kind out of texts: SentencePiece's BPE with byte fallback, spaces as U+2581, digits apart and
 * Gemma's control tokens. Ids: control tokens, 256 bytes, line ends and runs of spaces, pieces in the order they were
 * learned, characters by frequency. A piece's score is minus its rank. The same texts give the same vocabulary.
 *
 * @throws ERR_RANGE for a size that leaves no room for pieces, or numbers outside their range
 */
export function trainVocabulary(texts: Iterable<string>, options: TrainVocabularyOptions): Vocabulary {
  const { size, coverage = DEFAULT_COVERAGE, longest = DEFAULT_LONGEST } = options;
  if (!(coverage > 0 && coverage <= 1)) {
    throw new GemmaError("ERR_RANGE", `trainVocabulary: coverage must be above 0, at most 1, got ${coverage}`);
  }
  if (!Number.isSafeInteger(longest) || longest < 2) {
    throw new GemmaError("ERR_RANGE", `trainVocabulary: longest must be an integer >= 2, got ${longest}`);
  }
  const words = wordCounts(texts);
  const characters = alphabet(words, coverage);
  const fixed = CONTROL.length + 256 + USER_DEFINED.length + characters.length;
  if (!Number.isSafeInteger(size) || size < fixed) {
    throw new GemmaError(
      "ERR_RANGE",
      `trainVocabulary: size must be an integer >= ${fixed}, got ${size}: ${characters.length} characters, 256 bytes and others`,
    );
  }
  const pieces = bpeMerges(splitAtUnknown(words, new Set(characters)), { merges: size - fixed, longest });
  const { normal, control, unknown, byte, userDefined } = TOKEN_TYPE;
  const tokens: Token[] = [
    ...CONTROL.map((text) => ({ text, type: text === "<unk>" ? unknown : control, score: 0 })),
    ...Array.from({ length: 256 }, (_, value) => ({ text: byteTokenName(value), type: byte, score: 0 })),
    ...USER_DEFINED.map((text) => ({ text, type: userDefined, score: 0 })),
    ...[...pieces, ...characters].map((text, rank) => ({ text, type: normal, score: rank === 0 ? 0 : -rank })),
  ];
  return vocabularyOf(tokens);
}

interface Token {
  readonly text: string;
  readonly type: number;
  readonly score: number;
}

function wordCounts(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.replaceAll(" ", "\u2581").matchAll(WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** The most frequent characters that together are `coverage` of all, the most frequent first; the space in any case. */
function alphabet(words: ReadonlyMap<string, number>, coverage: number): string[] {
  const counts = new Map<string, number>([["\u2581", 0]]);
  let total = 0;
  for (const [word, count] of words) {
    for (const character of word) {
      counts.set(character, (counts.get(character) ?? 0) + count);
      total += count;
    }
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const kept: string[] = [];
  let covered = 0;
  for (const [character, count] of sorted) {
    if (covered >= total * coverage && character !== "\u2581") continue;
    kept.push(character);
    covered += count;
  }
  return kept;
}

/** Words without the characters that are written in bytes, cut there. */
function splitAtUnknown(words: ReadonlyMap<string, number>, known: ReadonlySet<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    let part = "";
    const close = () => {
      if (part !== "") counts.set(part, (counts.get(part) ?? 0) + count);
      part = "";
    };
    for (const character of word) {
      if (known.has(character)) part += character;
      else close();
    }
    close();
  }
  return counts;
}

function vocabularyOf(tokens: readonly Token[]): Vocabulary {
  const encoded = tokens.map(({ text }) => new TextEncoder().encode(text));
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  const starts = new Uint32Array(tokens.length);
  const ends = new Uint32Array(tokens.length);
  let at = 0;
  for (const [id, text] of encoded.entries()) {
    bytes.set(text, at);
    starts[id] = at;
    at += text.length;
    ends[id] = at;
  }
  const table = {
    ...{ size: tokens.length, bytes, starts, ends },
    scores: Float32Array.from(tokens, ({ score }) => score),
    types: Uint8Array.from(tokens, ({ type }) => type),
  };
  return makeVocabulary(table, { padId: 0, eosId: 1, bosId: 2, unkId: 3 }, "trainVocabulary");
}
