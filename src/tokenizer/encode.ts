import { inOneGo, type Slices } from "../base/slices.js";
import { TOKEN_TYPE } from "../format/token-table.js";
import { PrefixMatcher } from "./matcher.js";
import { WordMerger } from "./merge.js";
import { HASH_BASE } from "./token-index.js";
import type { Vocabulary } from "./vocabulary.js";
import { WordCache } from "./word-cache.js";

/**
 * Which tokens are found in the text as a whole, before any merging:
 * - "plain": the user-defined ones, as SentencePiece does
 * - "specials": control tokens too, by their names
 * - "untrusted": the user-defined ones, except turn markers, which some vocabularies count among them
 */
export type EncodeMode = "plain" | "specials" | "untrusted";

/** Of text that are encoded between two places to pause: some ten milliseconds. */
const SLICE_BYTES = 64 << 10;

/** How far a text has been encoded. */
interface Progress {
  readonly text: Uint8Array;
  readonly out: Int32Array<ArrayBuffer>;
  /** Ids in `out`. */
  count: number;
  at: number;
}

/**
 * Text to token ids, exactly as SentencePiece does it for Gemma: no normalisation, no space in front, spaces are
 * U+2581. User-defined tokens are cut out first, longest first from the left. The rest is cut into words at places
 * that no token spans; each word is merged by itself, or comes from a cache.
 */
export class Encoder {
  private readonly matchers = new Map<EncodeMode, PrefixMatcher>();
  private readonly adjacent: Uint8Array;
  private readonly merger: WordMerger;
  private readonly cache = new WordCache();
  private readonly utf8 = new TextEncoder();
  private readonly fusesUnknown: boolean;
  private longestSpaceRun: RegExp | undefined;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly sliceBytes = SLICE_BYTES,
  ) {
    this.adjacent = adjacentBytes(vocabulary);
    this.merger = new WordMerger(vocabulary);
    this.fusesUnknown = !vocabulary.types.includes(TOKEN_TYPE.byte);
  }

  /** The ids of `text`. Lone surrogates are U+FFFD. Never adds BOS. */
  encode(text: string, mode: EncodeMode): Int32Array<ArrayBuffer> {
    return inOneGo(this.slices(text, mode));
  }

  /** encode with a place to pause behind each slice of the text. */
  *slices(text: string, mode: EncodeMode): Slices<Int32Array<ArrayBuffer>> {
    const matcher = this.matcherFor(mode);
    if (!text.includes("\u2581")) return yield* this.encodePart(text, matcher);
    if (mode !== "specials") return yield* this.encodePart(text.replaceAll("\u2581", " "), matcher);
    // With specials, Hugging Face's tokenizer is the reference. It looks for tokens before it turns spaces into
    // U+2581, so that a run of U+2581 in the text is a token apart from the spaces beside it.
    const parts: Int32Array[] = [];
    for (const part of text.split(this.spaceRuns()))
      parts.push(yield* this.encodePart(part.replaceAll("\u2581", " "), matcher));
    const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      ids.set(part, at);
      at += part.length;
    }
    return ids;
  }

  private *encodePart(part: string, matcher: PrefixMatcher): Slices<Int32Array<ArrayBuffer>> {
    const text = this.utf8.encode(part);
    const progress = { text, out: new Int32Array(text.length), count: 0, at: 0 }; // a token has at least one byte
    for (;;) {
      this.encodeSlice(progress, matcher);
      if (progress.at === text.length) break;
      yield;
    }
    const { out, count } = progress;
    return out.slice(0, this.fusesUnknown ? fuseRuns(out, count, this.vocabulary.unkId) : count);
  }

  /** Goes on by a slice and to the end of a word, or of the text. */
  private encodeSlice(progress: Progress, matcher: PrefixMatcher): void {
    const { text, out } = progress;
    const { starts } = this.vocabulary;
    const { adjacent } = this;
    const { firstByte } = matcher;
    const sliceEnd = progress.at + this.sliceBytes;
    let { count, at } = progress;
    let wordStart = at;
    let hash = 0; // of text[wordStart, at)
    let before = 0;
    while (at < text.length) {
      const byte = text[at]!;
      if (firstByte[byte] === 1) {
        const id = matcher.match(text, at);
        if (id >= 0) {
          if (at > wordStart) count = this.encodeWord(text, wordStart, at, hash, out, count);
          out[count++] = id;
          at += starts[id + 1]! - starts[id]!;
          wordStart = at;
          hash = 0;
          if (at >= sliceEnd) break;
          continue;
        }
      }
      if (adjacent[before * 256 + byte] === 0 && at > wordStart) {
        count = this.encodeWord(text, wordStart, at, hash, out, count);
        wordStart = at;
        hash = 0;
        if (at >= sliceEnd) break;
      }
      hash = (Math.imul(hash, HASH_BASE) + byte + 1) | 0;
      before = byte;
      at++;
    }
    if (at > wordStart) count = this.encodeWord(text, wordStart, at, hash, out, count);
    progress.count = count;
    progress.at = at;
  }

  private encodeWord(
    text: Uint8Array,
    start: number,
    end: number,
    hash: number,
    out: Int32Array,
    count: number,
  ): number {
    const cached = this.cache.copy(text, start, end, hash, out, count);
    if (cached >= 0) return cached;
    const newCount = this.merger.merge(text, start, end, out, count);
    this.cache.store(text, start, end, hash, out, count, newCount);
    return newCount;
  }

  private matcherFor(mode: EncodeMode): PrefixMatcher {
    const existing = this.matchers.get(mode);
    if (existing !== undefined) return existing;
    const { types, control, size } = this.vocabulary;
    const ids: number[] = [];
    for (let id = 0; id < size; id++) {
      const declared = types[id] === TOKEN_TYPE.userDefined;
      if (control[id] === 1 ? mode === "specials" || (mode === "plain" && declared) : declared) ids.push(id);
    }
    const matcher = new PrefixMatcher(this.vocabulary, ids);
    this.matchers.set(mode, matcher);
    return matcher;
  }

  /** Runs of U+2581 as long as user-defined runs of spaces are. */
  private spaceRuns(): RegExp {
    if (this.longestSpaceRun === undefined) {
      let longest = 2;
      while (this.isUserDefined(" ".repeat(longest + 1))) longest++;
      this.longestSpaceRun = new RegExp(`(\u2581{2,${longest}})`);
    }
    return this.longestSpaceRun;
  }

  private isUserDefined(text: string): boolean {
    const id = this.vocabulary.index.findText(text);
    return id >= 0 && this.vocabulary.types[id] === TOKEN_TYPE.userDefined;
  }
}

/** Leaves one of each run of `id` in ids[0, count), as SentencePiece does with unknown text. Returns the new count. */
function fuseRuns(ids: Int32Array, count: number, id: number | undefined): number {
  let kept = 0;
  for (let i = 0; i < count; i++) if (ids[i] !== id || kept === 0 || ids[kept - 1] !== id) ids[kept++] = ids[i]!;
  return kept;
}

/**
 * [256 * before + byte] is 1 where these two bytes follow each other in some token that merging makes, or inside a
 * character. Everywhere else a text may be cut without a change of its ids.
 */
function adjacentBytes(vocabulary: Vocabulary): Uint8Array {
  const { bytes, starts, types, size } = vocabulary;
  const adjacent = new Uint8Array(256 * 256);
  for (let before = 0x80; before < 256; before++) adjacent.fill(1, before * 256 + 0x80, before * 256 + 0xc0);
  for (let id = 0; id < size; id++) {
    if (types[id] !== TOKEN_TYPE.normal) continue;
    const end = starts[id + 1]!;
    for (let i = starts[id]! + 1; i < end; i++) adjacent[bytes[i - 1]! * 256 + bytes[i]!] = 1;
  }
  return adjacent;
}
