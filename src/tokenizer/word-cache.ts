const SLOTS = 1 << 15; // with the sizes below 2 MB, of which the system hands out only what is used
const MAX_BYTES = 24;
const MAX_IDS = 8;

/**
 * Remembers the ids of words. A word has one slot, by its hash, and a new word takes the place of the old one: no
 * text, however chosen, makes a look-up longer.
 */
export class WordCache {
  private readonly bytes = new Uint8Array(SLOTS * MAX_BYTES);
  private readonly lengths = new Uint8Array(SLOTS); // 0: free
  private readonly counts = new Uint8Array(SLOTS);
  private readonly ids = new Int32Array(SLOTS * MAX_IDS);

  /** Copies the ids of text[start, end) to `out` from `count` and returns the new count, or -1 if it has none. */
  copy(text: Uint8Array, start: number, end: number, hash: number, out: Int32Array, count: number): number {
    const slot = slotOf(hash);
    const length = end - start;
    if (this.lengths[slot] !== length) return -1; // a free slot has length 0, a word too long never matches
    const { bytes, ids } = this;
    const key = slot * MAX_BYTES;
    for (let i = 0; i < length; i++) if (bytes[key + i] !== text[start + i]) return -1;
    const from = slot * MAX_IDS;
    const idsEnd = from + this.counts[slot]!;
    for (let i = from; i < idsEnd; i++) out[count++] = ids[i]!;
    return count;
  }

  /** Remembers out[from, to) as the ids of text[start, end), if both are short. */
  store(text: Uint8Array, start: number, end: number, hash: number, out: Int32Array, from: number, to: number): void {
    if (end - start > MAX_BYTES || to - from > MAX_IDS) return;
    const slot = slotOf(hash);
    for (let i = start; i < end; i++) this.bytes[slot * MAX_BYTES + i - start] = text[i]!;
    for (let i = from; i < to; i++) this.ids[slot * MAX_IDS + i - from] = out[i]!;
    this.lengths[slot] = end - start;
    this.counts[slot] = to - from;
  }
}

function slotOf(hash: number): number {
  return (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 12) & (SLOTS - 1);
}
