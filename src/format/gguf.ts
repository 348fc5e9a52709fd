import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "./byte-source.js";
import { GGML_TYPES, type GgmlType } from "./ggml-types.js";
import { GgufCursor } from "./gguf-cursor.js";
import { GGUF_TYPES, type GgufValue, readGgufValue } from "./gguf-values.js";
import type { TensorInfo } from "./tensor-info.js";

/** The tables of a GGUF file. */
export interface GgufFile {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Bytes; every tensor begins at a multiple of it. */
  readonly alignment: number;
  /** Where the metadata's pairs lie in the file, for those who copy them as they are. */
  readonly pairs: { readonly count: number; readonly offset: number; readonly sizeBytes: number };
}

const MAGIC = "GGUF";
const DEFAULT_ALIGNMENT = 32;
const MAX_ENTRIES = 65_536; // of tensors, and of metadata pairs; the largest Gemma has about a thousand
const MAX_KEY_BYTES = 65_535;
const MAX_NAME_BYTES = 64;
const MAX_DIMENSIONS = 4;
const MIN_PAIR_BYTES = 8 + 1 + 4 + 1; //                key of one byte, type, value of one byte
const MIN_TENSOR_INFO_BYTES = 8 + 1 + 4 + 8 + 4 + 8; // name of one byte, dimension count, one dimension, type, offset

/**
 * Reads the tables of a GGUF file (version 2 or 3, little-endian): metadata, and for each tensor where it lies.
 * The tensors' data is not read, but every offset and size is checked against the file's size.
 *
 * GGUF lists dimensions innermost first; `TensorInfo.shape` has them outermost first. Its `dtype` may be a ggml
 * type that Gemma is not loaded from (I32, IQ2_XXS ...): the model's loader refuses it if it needs that tensor.
 *
 * @throws ERR_BAD_MAGIC, ERR_UNSUPPORTED_VERSION, ERR_TRUNCATED, ERR_LIMIT_EXCEEDED, ERR_OVERFLOW,
 *   ERR_OUT_OF_BOUNDS, ERR_MISALIGNED, ERR_OVERLAP, ERR_DUPLICATE_NAME, ERR_INVALID_NAME, ERR_INVALID_TYPE,
 *   ERR_INVALID_DTYPE, ERR_INVALID_UTF8, ERR_INVALID_SHAPE, ERR_INVALID_VALUE
 */
export function parseGguf(source: ByteSource): GgufFile {
  const cursor = new GgufCursor(source);
  const version = readVersion(cursor);
  const tensorCount = cursor.count("tensors", MIN_TENSOR_INFO_BYTES, MAX_ENTRIES);
  const pairCount = cursor.count("metadata pairs", MIN_PAIR_BYTES, MAX_ENTRIES);
  const offset = cursor.position;
  const { metadata, alignment } = readMetadata(cursor, pairCount);
  const pairs = { count: pairCount, offset, sizeBytes: cursor.position - offset };

  const entries: TensorEntry[] = [];
  for (let i = 0; i < tensorCount; i++) entries.push(readTensorEntry(cursor, i));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = new Map<string, TensorInfo>();
  for (const entry of entries) {
    if (tensors.has(entry.name)) {
      throw new GemmaError("ERR_DUPLICATE_NAME", `${source.name}: tensor ${entry.name} must occur once, got it twice`);
    }
    tensors.set(entry.name, placeTensor(source, entry, dataStart, alignment));
  }
  checkOverlap(source.name, [...tensors.values()]);
  return { version, metadata, tensors, alignment, pairs };
}

/** @throws ERR_BAD_MAGIC, ERR_UNSUPPORTED_VERSION */
export function readVersion(cursor: GgufCursor): number {
  const magic = String.fromCharCode(...cursor.bytes(Math.min(4, cursor.bytesLeft)));
  if (magic !== MAGIC && magic !== MAGIC.slice(0, magic.length)) {
    throw new GemmaError("ERR_BAD_MAGIC", `${cursor.where}: must begin with GGUF, got ${JSON.stringify(magic)}`);
  }
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const got = version % 65_536 === 0 ? "a file in big-endian byte order" : `version ${version}`;
  throw new GemmaError(
    "ERR_UNSUPPORTED_VERSION",
    `${cursor.where}: must be GGUF version 2 or 3, little-endian, got ${got}`,
  );
}

function readMetadata(cursor: GgufCursor, count: number): { metadata: Map<string, GgufValue>; alignment: number } {
  const metadata = new Map<string, GgufValue>();
  let alignment = DEFAULT_ALIGNMENT;
  for (let i = 0; i < count; i++) {
    const key = cursor.name(`key ${i}`, MAX_KEY_BYTES);
    if (metadata.has(key)) {
      throw new GemmaError("ERR_DUPLICATE_NAME", `${cursor.where}: key ${key} must occur once, got it twice`);
    }
    const type = cursor.u32();
    const value = readGgufValue(cursor, type, key);
    metadata.set(key, value);
    if (key === "general.alignment") alignment = checkAlignment(cursor.where, type, value);
  }
  return { metadata, alignment };
}

function checkAlignment(where: string, type: number, value: GgufValue): number {
  if (type === GGUF_TYPES.u32 && typeof value === "number" && value > 0 && Number.isInteger(Math.log2(value)))
    return value;
  throw new GemmaError(
    "ERR_INVALID_VALUE",
    `${where}: general.alignment must be a power of two (uint32), got ${String(value)} (type ${type})`,
  );
}

/** A tensor as its entry describes it; `offset` counts from the start of the data. */
interface TensorEntry {
  readonly name: string;
  readonly type: GgmlType;
  readonly shape: readonly number[];
  readonly offset: number;
}

function readTensorEntry(cursor: GgufCursor, index: number): TensorEntry {
  const name = cursor.name(`tensor ${index}`, MAX_NAME_BYTES);
  const where = `${cursor.where}: tensor ${name}`;
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw new GemmaError("ERR_INVALID_SHAPE", `${where} must have 1 to 4 dimensions, got ${dimensions}`);
  }
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(cursor.size());
  if (shape.includes(0)) {
    throw new GemmaError("ERR_INVALID_SHAPE", `${where} must have dimensions of at least 1, got [${shape}]`);
  }
  const typeId = cursor.u32();
  const type = GGML_TYPES.get(typeId);
  if (type === undefined) {
    throw new GemmaError("ERR_INVALID_DTYPE", `${where} must have a known ggml type, got ${typeId}`);
  }
  return { name, type, shape, offset: cursor.size() };
}

/** Checks that the tensor's bytes lie in the file. */
function placeTensor(source: ByteSource, entry: TensorEntry, dataStart: number, alignment: number): TensorInfo {
  const { name, type, shape } = entry;
  const where = `${source.name}: tensor ${name}`;
  const width = shape.at(-1)!;
  const elements = shape.reduce((product, size) => product * size, 1);
  const sizeBytes = (elements / type.block.elements) * type.block.bytes;
  if (!Number.isSafeInteger(elements) || sizeBytes > Number.MAX_SAFE_INTEGER) {
    throw new GemmaError("ERR_OVERFLOW", `${where} must have less than 2^53 elements and bytes, got [${shape}]`);
  }
  if (width % type.block.elements !== 0) {
    throw new GemmaError(
      "ERR_INVALID_SHAPE",
      `${where} must have rows of whole ${type.name} blocks (${type.block.elements}), got rows of ${width}`,
    );
  }
  if (entry.offset > source.sizeBytes) {
    throw new GemmaError(
      "ERR_OUT_OF_BOUNDS",
      `${where} must begin in the file of ${source.sizeBytes} bytes, got offset ${entry.offset}`,
    );
  }
  if (entry.offset % alignment !== 0) {
    throw new GemmaError("ERR_MISALIGNED", `${where} must begin at a multiple of ${alignment}, got ${entry.offset}`);
  }
  const offset = dataStart + entry.offset;
  if (sizeBytes > source.sizeBytes - offset) {
    throw new GemmaError(
      "ERR_TRUNCATED",
      `${where} must lie in the file of ${source.sizeBytes} bytes, got an end at ${offset + sizeBytes}`,
    );
  }
  return { name, dtype: type.name, shape, offset, sizeBytes, source };
}

function checkOverlap(where: string, tensors: readonly TensorInfo[]): void {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset);
  for (const [i, tensor] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && tensor.offset + tensor.sizeBytes > next.offset) {
      throw new GemmaError(
        "ERR_OVERLAP",
        `${where}: tensors must not share bytes, got ${tensor.name} reaching into ${next.name}`,
      );
    }
  }
}
