import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "./byte-source.js";
import { type JsonValue, parseJson } from "./json.js";
import { describeJson } from "./json-read.js";
import {
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  readDtype,
  readShape,
  shapeBytes,
} from "./safetensors-dtypes.js";
import type { TensorInfo } from "./tensor-info.js";

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free text: format, model card fields; {"format": "pt"} from Hugging Face. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the header of a safetensors file. Data is not read, but every range is checked: tensors must fill the data
 * section without overlap, hole or rest, each with exactly the bytes that its shape and type ask for.
 * Layout: u64 header length, JSON header, data.
 *
 * @throws ERR_TRUNCATED, ERR_LIMIT_EXCEEDED, ERR_INVALID_HEADER, ERR_INVALID_JSON, ERR_INVALID_UTF8,
 *   ERR_DUPLICATE_NAME, ERR_INVALID_DTYPE, ERR_INVALID_SHAPE, ERR_SHAPE_MISMATCH, ERR_OVERFLOW,
 *   ERR_OUT_OF_BOUNDS, ERR_OVERLAP, ERR_HOLE, ERR_TRAILING_DATA
 */
export function parseSafetensors(source: ByteSource): SafetensorsFile {
  const headerBytes = readHeaderLength(source);
  const header = readHeader(source, headerBytes);
  const dataStart = LENGTH_BYTES + headerBytes;
  const tensors = new Map<string, TensorInfo>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, entry] of header) {
    if (name === METADATA_KEY) metadata = readMetadata(entry, source.name);
    else tensors.set(name, readTensor(source, dataStart, name, entry));
  }
  checkCoverage(source, dataStart, [...tensors.values()]);
  return { tensors, metadata };
}

function readHeaderLength(source: ByteSource): number {
  const bytes = source.read(0, LENGTH_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length === 0) {
    throw new GemmaError("ERR_INVALID_HEADER", `${source.name}: the header must have at least 2 bytes, got 0`);
  }
  if (length > MAX_HEADER_BYTES) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${source.name}: the header must have at most ${MAX_HEADER_BYTES} bytes, got ${length} (not a safetensors file?)`,
    );
  }
  return length;
}

function readHeader(source: ByteSource, length: number): ReadonlyMap<string, JsonValue> {
  const bytes = source.read(LENGTH_BYTES, length);
  const json = bytes[0] === "{".charCodeAt(0) ? parseJson(bytes, `${source.name}: header`) : undefined;
  if (json instanceof Map) return json;
  throw new GemmaError("ERR_INVALID_HEADER", `${source.name}: the header must begin with {, got byte ${bytes[0]}`);
}

function readMetadata(value: JsonValue, where: string): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (!(value instanceof Map)) throw invalidHeader(`${where}: ${METADATA_KEY}`, "an object", value);
  for (const [key, text] of value as ReadonlyMap<string, JsonValue>) {
    if (typeof text !== "string") throw invalidHeader(`${where}: ${METADATA_KEY} ${key}`, "a string", text);
    metadata.set(key, text);
  }
  return metadata;
}

function readTensor(source: ByteSource, dataStart: number, name: string, entry: JsonValue): TensorInfo {
  const where = `${source.name}: tensor ${name}`;
  if (!(entry instanceof Map)) throw invalidHeader(where, "an object", entry);
  const dtype = readDtype(entry.get("dtype"), where);
  const shape = readShape(entry.get("shape"), where);
  const [begin, end] = readOffsets(entry.get("data_offsets"), where);
  const dataBytes = source.sizeBytes - dataStart;
  if (begin < 0 || begin > end || end > dataBytes) {
    throw new GemmaError(
      "ERR_OUT_OF_BOUNDS",
      `${where}: data_offsets must rise within the ${dataBytes} bytes of data, got [${begin}, ${end}]`,
    );
  }
  const sizeBytes = shapeBytes(dtype, shape, where);
  if (sizeBytes !== end - begin) {
    throw new GemmaError(
      "ERR_SHAPE_MISMATCH",
      `${where}: data_offsets must span the ${sizeBytes} bytes of ${dtype} [${shape}], got ${end - begin}`,
    );
  }
  return { name, dtype, shape, offset: dataStart + begin, sizeBytes, source };
}

function readOffsets(value: JsonValue | undefined, where: string): readonly [begin: number, end: number] {
  if (Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger)) return [value[0], value[1]];
  throw invalidHeader(`${where}: data_offsets`, "two whole numbers", value);
}

function invalidHeader(what: string, expected: string, value: JsonValue | undefined): GemmaError {
  return new GemmaError("ERR_INVALID_HEADER", `${what} must be ${expected}, got ${describeJson(value)}`);
}

/** Tensors must lie one behind the other, from the first to the last byte of the data. */
function checkCoverage(source: ByteSource, dataStart: number, tensors: readonly TensorInfo[]): void {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes);
  let end = dataStart;
  for (const { name, offset, sizeBytes } of sorted) {
    if (offset !== end) {
      throw new GemmaError(
        offset < end ? "ERR_OVERLAP" : "ERR_HOLE",
        `${source.name}: tensor ${name} must begin where the one before it ends (${end}), got ${offset}`,
      );
    }
    end += sizeBytes;
  }
  if (end !== source.sizeBytes) {
    throw new GemmaError(
      "ERR_TRAILING_DATA",
      `${source.name}: must end with its last tensor at ${end}, got ${source.sizeBytes} bytes`,
    );
  }
}
