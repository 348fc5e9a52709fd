import { GemmaError } from "../base/errors.js";
import { GGML_TYPES, type GgmlType } from "./ggml-types.js";
import { GGUF_TYPES, type GgufNumbers, GgufStrings } from "./gguf-values.js";

/** A value to be written. A number has no type of its own in JavaScript: `u32(7)`, `f32(0.5)`. */
export type GgufWritable = boolean | string | TypedNumber | GgufNumbers | GgufStrings | readonly string[];

interface TypedNumber {
  readonly type: "u32" | "f32";
  readonly value: number;
}

export const u32 = (value: number): TypedNumber => ({ type: "u32", value });
export const f32 = (value: number): TypedNumber => ({ type: "f32", value });

/** Metadata pairs as they stand in a file. */
export interface GgufPairs {
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** What the table says of a tensor. */
export interface GgufEntry {
  readonly name: string;
  /** A name of GGML_TYPES. */
  readonly dtype: string;
  /** Outermost first. */
  readonly shape: readonly number[];
}

/** A tensor to be written. */
export interface GgufData extends GgufEntry {
  /** Its bytes, asked for once, when its turn comes; a slice may be overwritten as soon as the next one is asked for. */
  readonly data: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

const DEFAULT_ALIGNMENT = 32;
const TYPES_BY_NAME: ReadonlyMap<string, { readonly id: number; readonly type: GgmlType }> = new Map(
  [...GGML_TYPES].map(([id, type]) => [type.name, { id, type }]),
);

/** Pairs in the order given. The alignment, if it is not 32, is the caller's to write as `general.alignment`. */
export function ggufPairs(pairs: Iterable<readonly [key: string, value: GgufWritable]>): GgufPairs {
  const parts: Uint8Array[] = [];
  let count = 0;
  for (const [key, value] of pairs) {
    parts.push(string(key), typedValue(value));
    count += 1;
  }
  return { count, bytes: joined(parts) };
}

/** Pairs, and more of other names behind them. */
export function joinPairs(pairs: GgufPairs, more: GgufPairs): GgufPairs {
  return { count: pairs.count + more.count, bytes: joined([pairs.bytes, more.bytes]) };
}

/** The front of a file, and where each tensor's data goes. */
export interface GgufLayout {
  readonly header: Uint8Array;
  /** In the file, in the order of the entries; gaps between them are zeros. */
  readonly offsets: readonly number[];
  /** Of each tensor's data. */
  readonly dataBytes: readonly number[];
  readonly sizeBytes: number;
}

/**
 * The layout of a GGUF file, version 3, little-endian.
 * @throws ERR_DUPLICATE_NAME, ERR_INVALID_DTYPE, ERR_INVALID_SHAPE
 */
export function ggufLayout(pairs: GgufPairs, entries: readonly GgufEntry[], alignment = DEFAULT_ALIGNMENT): GgufLayout {
  const aligned = (size: number) => Math.ceil(size / alignment) * alignment;
  const parts = [new TextEncoder().encode("GGUF"), int(3), long(entries.length), long(pairs.count), pairs.bytes];
  const names = new Set<string>();
  const dataBytes = entries.map(entryBytes);
  const starts: number[] = [];
  let end = 0;
  for (const [i, { name, shape, dtype }] of entries.entries()) {
    if (names.has(name)) {
      throw new GemmaError("ERR_DUPLICATE_NAME", `ggufLayout: tensor ${name} must occur once, got it twice`);
    }
    names.add(name);
    starts.push(end);
    parts.push(string(name), int(shape.length), ...[...shape].reverse().map(long));
    parts.push(int(TYPES_BY_NAME.get(dtype)!.id), long(end));
    end += aligned(dataBytes[i]!);
  }
  const tables = joined(parts);
  const header = new Uint8Array(aligned(tables.length));
  header.set(tables);
  return { header, offsets: starts.map((at) => header.length + at), dataBytes, sizeBytes: header.length + end };
}

/**
 * A GGUF file, in slices. The same tensors give the same bytes.
 * @throws what ggufLayout throws, before the first slice; ERR_SHAPE_MISMATCH when a tensor's data does not have the bytes
 *   of its shape
 */
export async function* ggufFile(
  pairs: GgufPairs,
  tensors: readonly GgufData[],
  alignment = DEFAULT_ALIGNMENT,
): AsyncGenerator<Uint8Array, void> {
  const { header, offsets, dataBytes, sizeBytes } = ggufLayout(pairs, tensors, alignment);
  yield header;
  for (const [i, { name, data }] of tensors.entries()) {
    let written = 0;
    for await (const slice of data()) {
      written += slice.length;
      if (written > dataBytes[i]!) break;
      yield slice;
    }
    if (written !== dataBytes[i]) {
      const got = written > dataBytes[i]! ? "more" : written;
      throw new GemmaError(
        "ERR_SHAPE_MISMATCH",
        `ggufFile: tensor ${name}: data must have ${dataBytes[i]} bytes, got ${got}`,
      );
    }
    const padding = (offsets[i + 1] ?? sizeBytes) - offsets[i]! - written;
    if (padding > 0) yield new Uint8Array(padding);
  }
}

function entryBytes({ name, shape, dtype }: GgufEntry): number {
  const type = TYPES_BY_NAME.get(dtype)?.type;
  if (type === undefined) {
    throw new GemmaError("ERR_INVALID_DTYPE", `ggufLayout: tensor ${name} must have a ggml type, got ${dtype}`);
  }
  const width = shape.at(-1);
  if (width === undefined || shape.length > 4 || width % type.block.elements !== 0 || shape.some((size) => size < 1)) {
    throw new GemmaError(
      "ERR_INVALID_SHAPE",
      `ggufLayout: tensor ${name} must have 1 to 4 dimensions and rows of whole ${dtype} blocks, got [${shape}]`,
    );
  }
  return (shape.reduce((product, size) => product * size, 1) / type.block.elements) * type.block.bytes;
}

function typedValue(value: GgufWritable): Uint8Array {
  if (typeof value === "boolean") return joined([int(GGUF_TYPES.bool), Uint8Array.of(value ? 1 : 0)]);
  if (typeof value === "string") return joined([int(GGUF_TYPES.string), string(value)]);
  if (value instanceof GgufStrings) return strings(Array.from({ length: value.length }, (_, i) => value.at(i)));
  if (ArrayBuffer.isView(value)) return numbers(value);
  if ("type" in value) {
    const bytes = value.type === "u32" ? int(value.value) : new Uint8Array(Float32Array.of(value.value).buffer);
    return joined([int(GGUF_TYPES[value.type]), bytes]);
  }
  return strings(value);
}

function strings(values: readonly string[]): Uint8Array {
  return joined([int(GGUF_TYPES.array), int(GGUF_TYPES.string), long(values.length), ...values.map(string)]);
}

/** Typed arrays are little-endian like the file, as are all machines that run Node or a browser today. */
function numbers(values: GgufNumbers): Uint8Array {
  const kind = ARRAY_TYPES.find(([array]) => values instanceof array)![1];
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return joined([int(GGUF_TYPES.array), int(GGUF_TYPES[kind]), long(values.length), bytes]);
}

const ARRAY_TYPES = [
  [Uint8Array, "u8"],
  [Int8Array, "i8"],
  [Uint16Array, "u16"],
  [Int16Array, "i16"],
  [Uint32Array, "u32"],
  [Int32Array, "i32"],
  [Float32Array, "f32"],
  [Float64Array, "f64"],
  [BigUint64Array, "u64"],
  [BigInt64Array, "i64"],
] as const;

function string(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return joined([long(bytes.length), bytes]);
}

function int(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function long(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
