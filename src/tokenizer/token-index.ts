import { GemmaError } from "../base/errors.js";

/**
 * The multiplier of the polynomial hash of bytes b[0..n): sum of (b[k] + 1) * HASH_BASE^(n-1-k), modulo 2^32. From
 * the hashes of all prefixes of a text follows the hash of any part of it in constant time.
 */
export const HASH_BASE = 0x01000193;

const utf8 = new TextEncoder();

/** Texts end to end: text i is bytes[starts[i], starts[i + 1]). */
export interface TextTable {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
}

/** Finds the id of a token by its bytes: open addressing in one typed array, no JavaScript strings. */
export class TokenIndex {
  private readonly slots: Int32Array; // pairs: hash, id + 1 (0: free)
  private readonly shift: number;

  /** @throws ERR_DUPLICATE_NAME when two tokens have the same text */
  constructor(
    private readonly tokens: TextTable,
    where: string,
  ) {
    const hashes = hashesOf(tokens);
    const size = hashes.length;
    const bits = Math.max(4, 33 - Math.clz32(size - 1)); // at most half full
    this.slots = new Int32Array(2 << bits);
    this.shift = 32 - bits;
    const { bytes, starts } = tokens;
    for (const id of fillSlots(this.slots, this.shift, hashes)) {
      const other = this.find(bytes, starts[id]!, starts[id + 1]!, hashes[id]!);
      if (other === id) continue;
      const text = new TextDecoder().decode(bytes.subarray(starts[id], Math.min(starts[id + 1]!, starts[id]! + 80)));
      throw new GemmaError(
        "ERR_DUPLICATE_NAME",
        `${where}: tokens must differ, got ${JSON.stringify(text)} as ${other} and ${id}`,
      );
    }
  }

  /** The id of the token text[start, end), whose hash is `hash`, or -1. */
  find(text: Uint8Array, start: number, end: number, hash: number): number {
    return this.slots[this.slotOf(text, start, end, hash) + 1]! - 1;
  }

  /** The id of the token with this text, or -1. */
  findText(text: string): number {
    const bytes = utf8.encode(text);
    return this.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
  }

  /** Where text[start, end) is, or the free slot where it would be. */
  private slotOf(text: Uint8Array, start: number, end: number, hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = firstSlot(hash, this.shift);
    for (;;) {
      const id = slots[slot + 1]! - 1;
      if (id < 0 || (slots[slot] === hash && this.equals(id, text, start, end))) return slot;
      slot = (slot + 2) & mask;
    }
  }

  private equals(id: number, text: Uint8Array, start: number, end: number): boolean {
    const { bytes, starts } = this.tokens;
    const from = starts[id]!;
    const length = end - start;
    if (starts[id + 1]! - from !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== text[start + i]) return false;
    return true;
  }
}

function firstSlot(hash: number, shift: number): number {
  return (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> shift) * 2;
}

// Loops over a whole vocabulary are small functions: V8 compiles those while the first tokens are still at work.

function hashesOf({ bytes, starts }: TextTable): Int32Array {
  const hashes = new Int32Array(starts.length - 1);
  for (let id = 0; id < hashes.length; id++) hashes[id] = hashBytes(bytes, starts[id]!, starts[id + 1]!);
  return hashes;
}

/** Gives each id a slot. Returns those ids whose hash was there before: they may be duplicates. */
function fillSlots(slots: Int32Array, shift: number, hashes: Int32Array): number[] {
  const mask = slots.length - 1;
  const suspects: number[] = [];
  for (let id = 0; id < hashes.length; id++) {
    const hash = hashes[id]!;
    let slot = firstSlot(hash, shift);
    for (; slots[slot + 1] !== 0; slot = (slot + 2) & mask) if (slots[slot] === hash) suspects.push(id);
    slots[slot] = hash;
    slots[slot + 1] = id + 1;
  }
  return suspects;
}

/** The polynomial hash of bytes[start, end). */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, HASH_BASE) + bytes[i]! + 1) | 0;
  return hash;
}
