import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "./byte-source.js";
import { decodeUtf8 } from "./utf8.js";

const SLICE_BYTES = 1 << 20; // a header is read in few large slices; a vocabulary makes it 3 to 10 MB

// A real header has 3 to 30 MB. The limits bound memory where a huge, perhaps sparse, file announces huge things.
const MAX_HEADER_BYTES = 256 * 2 ** 20;
const MAX_NESTED_ARRAYS = 65_536;

/** Reads little-endian values from the front of a source, and never the tensor data far behind them. */
export class GgufCursor {
  /** Offset of the next byte in the source. */
  position = 0;
  private slice: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.slice.buffer);
  private sliceStart = 0;
  private nestedArrays = 0;
  private readonly buffer: Uint8Array; // of every slice that fits

  constructor(private readonly source: ByteSource) {
    this.buffer = new Uint8Array(Math.min(SLICE_BYTES, source.sizeBytes));
  }

  get where(): string {
    return this.source.name;
  }

  get bytesLeft(): number {
    return this.source.sizeBytes - this.position;
  }

  /** Steps over `length` bytes that lie in the slice, and returns where they begin in it. */
  private step(length: number): number {
    let at = this.position - this.sliceStart;
    if (length > this.slice.length - at) {
      const wanted = Math.max(length, Math.min(SLICE_BYTES, this.bytesLeft));
      this.slice = this.source.read(this.position, wanted, this.buffer);
      this.view = new DataView(this.slice.buffer, this.slice.byteOffset, this.slice.byteLength);
      this.sliceStart = this.position;
      at = 0;
    }
    this.position += length;
    return at;
  }

  // step() may replace the view: it comes first.

  u8(): number {
    const at = this.step(1);
    return this.view.getUint8(at);
  }

  i8(): number {
    const at = this.step(1);
    return this.view.getInt8(at);
  }

  u16(): number {
    const at = this.step(2);
    return this.view.getUint16(at, true);
  }

  i16(): number {
    const at = this.step(2);
    return this.view.getInt16(at, true);
  }

  u32(): number {
    const at = this.step(4);
    return this.view.getUint32(at, true);
  }

  i32(): number {
    const at = this.step(4);
    return this.view.getInt32(at, true);
  }

  f32(): number {
    const at = this.step(4);
    return this.view.getFloat32(at, true);
  }

  f64(): number {
    const at = this.step(8);
    return this.view.getFloat64(at, true);
  }

  u64(): bigint {
    const at = this.step(8);
    return this.view.getBigUint64(at, true);
  }

  i64(): bigint {
    const at = this.step(8);
    return this.view.getBigInt64(at, true);
  }

  /** A u64 as a number: exact up to 2^53, beyond it rounded and so still beyond 2^53. */
  size(): number {
    const at = this.step(8);
    return this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** A u64 that counts things of at least `minBytes` each, checked against the bytes left and `max`. */
  count(what: string, minBytes: number, max = Number.POSITIVE_INFINITY): number {
    const count = this.size();
    const bytes = count * minBytes;
    if (bytes <= this.bytesLeft && bytes <= MAX_HEADER_BYTES && count <= max) return count;
    // More things than bytes cannot come from a file that was cut.
    const isCut = bytes > this.bytesLeft && count <= this.source.sizeBytes && count <= max;
    throw new GemmaError(
      isCut ? "ERR_TRUNCATED" : "ERR_LIMIT_EXCEEDED",
      `${this.where}: ${what} must fit the ${this.bytesLeft} bytes left and the limits, got ${count} of at least ${minBytes} bytes`,
    );
  }

  /** Counts arrays inside arrays over the whole file: each costs far more memory than its bytes. */
  countNested(count: number, what: string): void {
    this.nestedArrays += count;
    if (this.nestedArrays <= MAX_NESTED_ARRAYS) return;
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${this.where}: ${what} must be at most ${MAX_NESTED_ARRAYS}, got ${this.nestedArrays}`,
    );
  }

  /** `length` bytes; a view that lives as long as the slice, so copy what is to be kept. */
  bytes(length: number): Uint8Array {
    this.checkLength(length);
    const at = this.step(length);
    return this.slice.subarray(at, at + length);
  }

  /** Copies `length` bytes to out[start...]; for many short strings this is much faster than a view of each. */
  copy(length: number, out: Uint8Array, start: number): void {
    const at = this.step(length);
    for (let i = 0; i < length; i++) out[start + i] = this.slice[at + i]!;
  }

  /**
   * Copies the strings from number `first` on (u64 length, then UTF-8) to `out`, as long as they lie in the slice and
   * fit, and sets starts[i + 1] to where string i ends. Returns the first one left. A vocabulary has 262,144 strings:
   * one loop over the bytes takes a third of the time of calls for each.
   */
  copyStrings(first: number, out: Uint8Array, starts: Uint32Array): number {
    const { slice } = this;
    let at = this.position - this.sliceStart;
    let end = starts[first]!;
    let i = first;
    for (; i < starts.length - 1 && at + 8 <= slice.length; i++) {
      const length = slice[at]! | (slice[at + 1]! << 8);
      let rest = 0; // of the length: not 0 in strings of 64 KB and more
      for (let k = 2; k < 8; k++) rest |= slice[at + k]!;
      if (rest !== 0 || at + 8 + length > slice.length || end + length > out.length) break;
      at += 8;
      for (let k = 0; k < length; k++) out[end + k] = slice[at + k]!;
      at += length;
      end += length;
      starts[i + 1] = end;
    }
    this.position = this.sliceStart + at;
    return i;
  }

  /** Throws unless the file has `length` more bytes, and a header may have them. */
  checkLength(length: number): void {
    if (length > this.bytesLeft) {
      throw new GemmaError(
        "ERR_TRUNCATED",
        `${this.where}: a length at ${this.position} must fit the ${this.bytesLeft} bytes left, got ${length}`,
      );
    }
    if (this.position + length > MAX_HEADER_BYTES) {
      throw new GemmaError(
        "ERR_LIMIT_EXCEEDED",
        `${this.where}: the header must have at most ${MAX_HEADER_BYTES} bytes, got ${this.position + length}`,
      );
    }
  }

  /** A string: u64 length, then UTF-8. */
  string(what: string): string {
    return decodeUtf8(this.bytes(this.size()), `${this.where}: ${what}`);
  }

  /** A string of 1 to `maxBytes` bytes. */
  name(what: string, maxBytes: number): string {
    const length = this.size();
    if (length < 1 || (length > maxBytes && length <= this.bytesLeft)) {
      throw new GemmaError(
        "ERR_INVALID_NAME",
        `${this.where}: the name of ${what} must have 1 to ${maxBytes} bytes, got ${length}`,
      );
    }
    return decodeUtf8(this.bytes(length), `${this.where}: the name of ${what}`);
  }
}
