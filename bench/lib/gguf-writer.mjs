// The header of a GGUF file (version 3, little-endian).
import { GGML_TYPES } from "../../dist/format/ggml-types.js";

const TYPE_IDS = new Map([...GGML_TYPES].map(([id, { name }]) => [name, id]));
const ALIGNMENT = 32; // GGUF's default

/** Value types: enum gguf_metadata_value_type, docs/gguf.md in ggml's repository. */
const U32 = 4;
const I32 = 5;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

/** Values of one type each; a plain boolean or string has only one. */
export const u32 = (value) => ({ type: U32, value });
export const f32 = (value) => ({ type: F32, value });

/**
 * The header's bytes up to the first tensor's data, and where each tensor's data begins in the file.
 * @param metadata [key, value] pairs; a value is a boolean, a string, u32(), f32(), or an array: strings, Int32Array,
 *   Uint32Array, Float32Array
 * @param tensors { name, shape (outermost first), dtype, sizeBytes }
 */
export function ggufHeader(metadata, tensors) {
  const pairs = metadata.map(([key, value]) => Buffer.concat([string(key), typedValue(value)]));
  const offsets = [];
  let end = 0;
  for (const { sizeBytes } of tensors) {
    offsets.push(end);
    end += aligned(sizeBytes);
  }
  const entries = tensors.map(({ name, shape, dtype }, i) =>
    Buffer.concat([
      string(name),
      int(shape.length),
      ...shape.toReversed().map(long),
      int(TYPE_IDS.get(dtype)),
      long(offsets[i]),
    ]),
  );
  const bytes = Buffer.concat([
    Buffer.from("GGUF"),
    int(3),
    long(tensors.length),
    long(metadata.length),
    ...pairs,
    ...entries,
  ]);
  const header = Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);
  return { header, offsets: offsets.map((offset) => header.length + offset), sizeBytes: header.length + end };
}

function typedValue(value) {
  if (typeof value === "boolean") return Buffer.concat([int(BOOL), Buffer.from([value ? 1 : 0])]);
  if (typeof value === "string") return Buffer.concat([int(STRING), string(value)]);
  if (value instanceof Int32Array) return numbers(I32, value);
  if (value instanceof Uint32Array) return numbers(U32, value);
  if (value instanceof Float32Array) return numbers(F32, value);
  if (Array.isArray(value)) return Buffer.concat([int(ARRAY), int(STRING), long(value.length), ...value.map(string)]);
  if (value.type === U32) return Buffer.concat([int(U32), int(value.value)]);
  return Buffer.concat([int(F32), Buffer.from(Float32Array.of(value.value).buffer)]);
}

function numbers(type, values) {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([int(ARRAY), int(type), long(values.length), bytes]);
}

function string(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([long(bytes.length), bytes]);
}

function int(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function long(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function aligned(size) {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
