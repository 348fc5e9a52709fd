import { TOKEN_TYPE } from "../format/token-table.js";
import { PairHeap } from "./pair-heap.js";
import { HASH_BASE } from "./token-index.js";
import { byteTokenName, type Vocabulary } from "./vocabulary.js";

const UNMERGED = -1;
const NO_PAIR = -0x8000_0000; // lower than every rank
const KEPT_LENGTH = 1 << 16; // scratch space for longer words is given back

/**
 * SentencePiece's BPE on one word: it starts with one symbol a character and merges, again and again, the two
 * neighbours that make the token with the highest score, the leftmost of equals. A heap of candidate pairs makes that
 * n log n. What remains as a character without a token becomes its bytes' tokens, or
 * the unknown token.
 */
export class WordMerger {
  private readonly powers: Int32Array; // HASH_BASE^k for k up to the longest token
  private readonly ranks: Int32Array; // of each token: its score as an integer of the same order
  private readonly byteIds: Int32Array | undefined;
  private readonly heap = new PairHeap();
  // By byte offset in the word; a symbol is named by the offset where it starts.
  private hashes = new Int32Array(0); // of the word's first k bytes
  private next = new Int32Array(0); //   where the symbol ends
  private previous = new Int32Array(0); // where the symbol to the left starts
  private ids = new Int32Array(0); //    the symbol's token, or UNMERGED
  private pairIds = new Int32Array(0); // the token that it makes with its right neighbour
  private pairRanks = new Int32Array(0); // and the rank of that token; NO_PAIR if there is none

  constructor(private readonly vocabulary: Vocabulary) {
    const { starts, types, size, index } = vocabulary;
    let longest = 4; // a character
    for (let id = 0; id < size; id++) {
      if (types[id] === TOKEN_TYPE.normal) longest = Math.max(longest, starts[id + 1]! - starts[id]!);
    }
    this.powers = new Int32Array(longest + 1).fill(1);
    for (let k = 1; k <= longest; k++) this.powers[k] = Math.imul(this.powers[k - 1]!, HASH_BASE);
    this.ranks = ranksOf(vocabulary.scores);
    const hasBytes = types.includes(TOKEN_TYPE.byte);
    this.byteIds = hasBytes ? Int32Array.from({ length: 256 }, (_, b) => index.findText(byteTokenName(b))) : undefined;
  }

  /** Writes the ids of text[start, end), whole characters, to `out` from `count`. Returns the new count. */
  merge(text: Uint8Array, start: number, end: number, out: Int32Array, count: number): number {
    const length = end - start;
    this.prepare(text, start, length);
    const { next, previous, ids, pairIds, pairRanks, heap } = this;
    for (let at = 0; at < length; at = next[at]!) this.findPair(text, start, at, length);
    for (let at = 0; at < length; at = next[at]!) this.offer(at, length);
    while (heap.pop()) {
      const left = heap.start;
      if (pairRanks[left] !== heap.rank) continue; // what was offered has been merged away or has changed since
      const right = next[left]!;
      const end = next[right]!;
      ids[left] = pairIds[left]!;
      pairRanks[right] = NO_PAIR;
      next[left] = end;
      if (end < length) previous[end] = left;
      this.findPair(text, start, left, length);
      if (left > 0) this.findPair(text, start, previous[left]!, length);
      this.offer(left, length);
      if (end < length) this.offer(end, length);
      if (left === 0) continue;
      const before = previous[left]!;
      this.offer(before, length);
      if (before > 0) this.offer(previous[before]!, length);
    }
    for (let at = 0; at < length; at = next[at]!) {
      const id = ids[at] === UNMERGED ? this.findNormal(text, start, at, next[at]!) : ids[at]!;
      if (id >= 0) out[count++] = id;
      else count = this.emitUnknown(text, start + at, start + next[at]!, out, count);
    }
    if (length > KEPT_LENGTH) this.resize(0);
    return count;
  }

  private prepare(text: Uint8Array, start: number, length: number): void {
    if (this.next.length <= length) this.resize(Math.max(256, length + 1));
    const { hashes, next, previous, ids } = this;
    let hash = 0;
    let symbol = 0;
    hashes[0] = 0;
    for (let i = 0; i < length; i++) {
      const byte = text[start + i]!;
      if (i > 0 && (byte & 0xc0) !== 0x80) {
        next[symbol] = i;
        previous[i] = symbol;
        symbol = i;
      }
      ids[i] = UNMERGED;
      hash = (Math.imul(hash, HASH_BASE) + byte + 1) | 0;
      hashes[i + 1] = hash;
    }
    next[symbol] = length;
  }

  /** Sets pairIds and pairRanks of the symbol at `left`. */
  private findPair(text: Uint8Array, start: number, left: number, length: number): void {
    this.pairRanks[left] = NO_PAIR;
    const right = this.next[left]!;
    if (right >= length) return;
    const end = this.next[right]!;
    if (end - left >= this.powers.length) return;
    const id = this.findNormal(text, start, left, end);
    if (id < 0) return;
    this.pairIds[left] = id;
    this.pairRanks[left] = this.ranks[id]!;
  }

  /**
   * Puts the pair at `left` on the heap, unless a neighbouring pair with which it shares a symbol comes before it. Such
   * a pair is offered again when that neighbour changes. So a long run of one character never fills the heap.
   */
  private offer(left: number, length: number): void {
    const rank = this.pairRanks[left]!;
    if (rank === NO_PAIR || (left > 0 && this.pairRanks[this.previous[left]!]! >= rank)) return;
    const right = this.next[left]!;
    if (right < length && this.pairRanks[right]! > rank) return;
    this.heap.push(rank, left);
  }

  private findNormal(text: Uint8Array, start: number, from: number, to: number): number {
    const hash = (this.hashes[to]! - Math.imul(this.hashes[from]!, this.powers[to - from]!)) | 0;
    const id = this.vocabulary.index.find(text, start + from, start + to, hash);
    return id >= 0 && this.vocabulary.types[id] === TOKEN_TYPE.normal ? id : -1;
  }

  private emitUnknown(text: Uint8Array, start: number, end: number, out: Int32Array, count: number): number {
    const { byteIds, vocabulary } = this;
    if (byteIds !== undefined) for (let i = start; i < end; i++) out[count++] = byteIds[text[i]!]!;
    else if (vocabulary.unkId !== undefined) out[count++] = vocabulary.unkId;
    return count;
  }

  private resize(length: number): void {
    this.hashes = new Int32Array(length);
    this.next = new Int32Array(length);
    this.previous = new Int32Array(length);
    this.ids = new Int32Array(length);
    this.pairIds = new Int32Array(length);
    this.pairRanks = new Int32Array(length);
    this.heap.reset();
  }
}

/** The bits of a float are an integer of the same order, once those of negative numbers are turned round. */
function ranksOf(scores: Float32Array): Int32Array {
  const ranks = new Int32Array(scores.length);
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  for (let id = 0; id < scores.length; id++) {
    float[0] = scores[id]! + 0; // -0 becomes 0
    ranks[id] = bits[0]! < 0 ? bits[0]! ^ 0x7fffffff : bits[0]!;
  }
  return ranks;
}
