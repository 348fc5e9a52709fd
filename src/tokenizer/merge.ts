import { TOKEN_TYPE } from "../format/token-table.js";
import { PairHeap } from "./pair-heap.js";
import { HASH_BASE } from "./token-index.js";
import { byteTokenName, type Vocabulary } from "./vocabulary.js";

const UNMERGED = -1;
const KEPT_LENGTH = 1 << 16; // scratch space for longer words is given back

/**
 * SentencePiece's BPE on one word: it starts with one symbol a character and merges, again and again, the two
 * neighbours that make the token with the highest score, the leftmost of equals. A heap of candidate pairs makes that
 * n log n. What remains as a character without a token becomes its bytes' tokens.
 */
export class WordMerger {
  private readonly powers: Int32Array; // HASH_BASE^k for k up to the longest token
  private readonly byteIds: Int32Array | undefined;
  private readonly heap = new PairHeap();
  // By byte offset in the word; a symbol is named by the offset where it starts.
  private hashes = new Int32Array(0); // of the word's first k bytes
  private next = new Int32Array(0); //   where the symbol ends; -1 where no symbol starts
  private previous = new Int32Array(0); // where the symbol to the left starts
  private ids = new Int32Array(0); //    the symbol's token, or UNMERGED

  constructor(private readonly vocabulary: Vocabulary) {
    const { starts, types, size, index } = vocabulary;
    let longest = 4; // a character
    for (let id = 0; id < size; id++) {
      if (types[id] === TOKEN_TYPE.normal) longest = Math.max(longest, starts[id + 1]! - starts[id]!);
    }
    this.powers = new Int32Array(longest + 1).fill(1);
    for (let k = 1; k <= longest; k++) this.powers[k] = Math.imul(this.powers[k - 1]!, HASH_BASE);
    const hasBytes = types.includes(TOKEN_TYPE.byte);
    this.byteIds = hasBytes ? Int32Array.from({ length: 256 }, (_, b) => index.findText(byteTokenName(b))) : undefined;
  }

  /** Writes the ids of text[start, end), whole characters, to `out` from `count`. Returns the new count. */
  merge(text: Uint8Array, start: number, end: number, out: Int32Array, count: number): number {
    const length = end - start;
    this.prepare(text, start, length);
    const { next, previous, ids, heap } = this;
    for (let left = 0; left < length; left = next[left]!) this.pushPair(text, start, left, length);
    while (heap.pop()) {
      const left = heap.start;
      const right = next[left]!;
      // Skip a pair of which one side has been merged with another neighbour in the meantime.
      if (right < 0 || right >= length || next[right] !== heap.end) continue;
      next[left] = heap.end;
      next[right] = -1;
      previous[heap.end] = left;
      ids[left] = heap.token;
      if (left > 0) this.pushPair(text, start, previous[left]!, length);
      this.pushPair(text, start, left, length);
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
      next[i] = -1;
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

  /** Makes the symbol at `left` and its right neighbour a candidate, if together they are a token. */
  private pushPair(text: Uint8Array, start: number, left: number, length: number): void {
    const right = this.next[left]!;
    if (right >= length) return;
    const end = this.next[right]!;
    if (end - left >= this.powers.length) return;
    const id = this.findNormal(text, start, left, end);
    if (id >= 0) this.heap.push(this.vocabulary.scores[id]!, left, end, id);
  }

  private findNormal(text: Uint8Array, start: number, from: number, to: number): number {
    const hash = (this.hashes[to]! - Math.imul(this.hashes[from]!, this.powers[to - from]!)) | 0;
    const id = this.vocabulary.index.find(text, start + from, start + to, hash);
    return id >= 0 && this.vocabulary.types[id] === TOKEN_TYPE.normal ? id : -1;
  }

  private emitUnknown(text: Uint8Array, start: number, end: number, out: Int32Array, count: number): number {
    const { byteIds, vocabulary } = this;
    if (byteIds !== undefined) for (let i = start; i < end; i++) out[count++] = byteIds[text[i]!]!;
    // Neighbouring unknown characters are one unknown token.
    else if (vocabulary.unkId !== undefined && out[count - 1] !== vocabulary.unkId) out[count++] = vocabulary.unkId;
    return count;
  }

  private resize(length: number): void {
    this.hashes = new Int32Array(length);
    this.next = new Int32Array(length);
    this.previous = new Int32Array(length);
    this.ids = new Int32Array(length);
    this.heap.reset();
  }
}
