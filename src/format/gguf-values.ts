import { GemmaError } from "../base/errors.js";
import type { GgufCursor } from "./gguf-cursor.js";
import { decodeUtf8 } from "./utf8.js";

/** A metadata value. 64-bit integers are numbers up to 2^53 and bigints beyond. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

/** Arrays stay compact: an array of booleans is a Uint8Array of 0 and 1; only nested arrays are JavaScript arrays. */
export type GgufArray = GgufStrings | GgufNumbers | readonly GgufArray[];

export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** An array of strings as one run of bytes: 262,144 tokens cost their bytes and four more each. */
export class GgufStrings {
  /** @param starts string i is bytes [starts[i], starts[i + 1]); one more entry than strings */
  constructor(
    readonly bytes: Uint8Array,
    readonly starts: Uint32Array,
  ) {}

  get length(): number {
    return this.starts.length - 1;
  }

  /** @throws ERR_RANGE outside 0..length-1, ERR_INVALID_UTF8 (strings are checked here, not when the file is read) */
  at(i: number): string {
    const start = this.starts[i];
    const end = this.starts[i + 1];
    if (start === undefined || end === undefined) {
      throw new GemmaError("ERR_RANGE", `GgufStrings.at: index must be below ${this.length}, got ${i}`);
    }
    return decodeUtf8(this.bytes.subarray(start, end), `string ${i}`);
  }
}

// enum gguf_metadata_value_type, docs/gguf.md in ggml's repository
export const GGUF_TYPES = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

/** Numeric types by id: how to read one, and the typed array for many. */
const NUMBERS: ReadonlyMap<
  number,
  { one: (cursor: GgufCursor) => number | bigint; bytes: number; many: (buffer: ArrayBuffer) => GgufNumbers }
> = new Map([
  [GGUF_TYPES.u8, { one: (c) => c.u8(), bytes: 1, many: (b) => new Uint8Array(b) }],
  [GGUF_TYPES.i8, { one: (c) => c.i8(), bytes: 1, many: (b) => new Int8Array(b) }],
  [GGUF_TYPES.u16, { one: (c) => c.u16(), bytes: 2, many: (b) => new Uint16Array(b) }],
  [GGUF_TYPES.i16, { one: (c) => c.i16(), bytes: 2, many: (b) => new Int16Array(b) }],
  [GGUF_TYPES.u32, { one: (c) => c.u32(), bytes: 4, many: (b) => new Uint32Array(b) }],
  [GGUF_TYPES.i32, { one: (c) => c.i32(), bytes: 4, many: (b) => new Int32Array(b) }],
  [GGUF_TYPES.f32, { one: (c) => c.f32(), bytes: 4, many: (b) => new Float32Array(b) }],
  [GGUF_TYPES.u64, { one: (c) => c.u64(), bytes: 8, many: (b) => new BigUint64Array(b) }],
  [GGUF_TYPES.i64, { one: (c) => c.i64(), bytes: 8, many: (b) => new BigInt64Array(b) }],
  [GGUF_TYPES.f64, { one: (c) => c.f64(), bytes: 8, many: (b) => new Float64Array(b) }],
]);

const MAX_NESTING = 4;
const ARRAY_HEADER_BYTES = 4 + 8;

/** Reads a value of the type `type`; `key` is for messages. */
export function readGgufValue(cursor: GgufCursor, type: number, key: string): GgufValue {
  if (type === GGUF_TYPES.string) return cursor.string(key);
  if (type === GGUF_TYPES.bool) return readBool(cursor, key) === 1;
  if (type === GGUF_TYPES.array) return readArray(cursor, key, 1);
  const value = numberType(cursor, type, key).one(cursor);
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function readArray(cursor: GgufCursor, key: string, depth: number): GgufArray {
  if (depth > MAX_NESTING) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${cursor.where}: ${key} must be nested at most ${MAX_NESTING} deep, got more`,
    );
  }
  const type = cursor.u32();
  if (type === GGUF_TYPES.string) return readStrings(cursor, key);
  if (type === GGUF_TYPES.array) {
    const count = cursor.count(`arrays in ${key}`, ARRAY_HEADER_BYTES);
    cursor.countNested(count, `arrays in arrays (${key})`);
    const arrays: GgufArray[] = [];
    for (let i = 0; i < count; i++) arrays.push(readArray(cursor, key, depth + 1));
    return arrays;
  }
  if (type === GGUF_TYPES.bool) {
    const bools = new Uint8Array(cursor.count(`booleans in ${key}`, 1));
    for (let i = 0; i < bools.length; i++) bools[i] = readBool(cursor, key);
    return bools;
  }
  const numbers = numberType(cursor, type, key);
  const count = cursor.count(`numbers in ${key}`, numbers.bytes);
  // A copy is aligned, and does not keep the slice of the header alive. (slice() of a Buffer would be a view.)
  // Typed arrays are little-endian like the file: so is every machine that runs Node or a browser today.
  return numbers.many(new Uint8Array(cursor.bytes(count * numbers.bytes)).buffer);
}

function readStrings(cursor: GgufCursor, key: string): GgufStrings {
  const count = cursor.count(`strings in ${key}`, 8);
  const starts = new Uint32Array(count + 1);
  // Tokens take 6 to 8 bytes on average; the file's size bounds the guess.
  let bytes = new Uint8Array(Math.min(count * 8, cursor.bytesLeft));
  for (let i = 0; ; i++) {
    i = cursor.copyStrings(i, bytes, starts);
    if (i === count) break;
    const end = starts[i]!;
    const length = cursor.size();
    cursor.checkLength(length);
    if (end + length > bytes.length) bytes = grown(bytes, end + length, `${cursor.where}: ${key}`);
    cursor.copy(length, bytes, end);
    starts[i + 1] = end + length;
  }
  return new GgufStrings(bytes.subarray(0, starts[count]), starts);
}

function grown(bytes: Uint8Array, needed: number, what: string): Uint8Array<ArrayBuffer> {
  if (needed > 0xffff_ffff) throw new GemmaError("ERR_LIMIT_EXCEEDED", `${what} must have less than 4 GB of text`);
  const larger = new Uint8Array(Math.max(needed, Math.floor(bytes.length * 1.5)));
  larger.set(bytes);
  return larger;
}

function readBool(cursor: GgufCursor, key: string): number {
  const byte = cursor.u8();
  if (byte > 1) throw new GemmaError("ERR_INVALID_VALUE", `${cursor.where}: ${key} must be 0 or 1 (bool), got ${byte}`);
  return byte;
}

function numberType(cursor: GgufCursor, type: number, key: string) {
  const found = NUMBERS.get(type);
  if (found !== undefined) return found;
  throw new GemmaError("ERR_INVALID_TYPE", `${cursor.where}: ${key} must have a value type of 0 to 12, got ${type}`);
}
