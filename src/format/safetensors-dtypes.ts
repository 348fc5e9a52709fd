import { GemmaError } from "../base/errors.js";
import type { JsonValue } from "./json.js";
import { describeJson } from "./json-read.js";

// What reading and writing share.

export const LENGTH_BYTES = 8;
export const MAX_HEADER_BYTES = 100_000_000; // safetensors' own limit
export const METADATA_KEY = "__metadata__";

/** Bits of an element by type name (safetensors 0.6, enum Dtype). */
export const SAFETENSORS_DTYPES: ReadonlyMap<string, number> = new Map([
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["F8_E8M0", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
  ["C64", 64],
]);

/**
 * Bytes of a tensor. `dtype` must be in the table, `shape` whole numbers >= 0; [] is a scalar.
 * @throws ERR_OVERFLOW beyond 2^53, ERR_INVALID_SHAPE when the elements do not fill whole bytes
 */
export function shapeBytes(dtype: string, shape: readonly number[], where: string): number {
  let bits = SAFETENSORS_DTYPES.get(dtype)!;
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) {
      throw new GemmaError("ERR_OVERFLOW", `${where}: the size must stay below 2^53 bits, got ${dtype} [${shape}]`);
    }
  }
  if (bits % 8 !== 0) {
    throw new GemmaError("ERR_INVALID_SHAPE", `${where}: must fill whole bytes, got ${dtype} [${shape}]`);
  }
  return bits / 8;
}

/** A known type name. @throws ERR_INVALID_DTYPE */
export function readDtype(value: JsonValue | undefined, where: string): string {
  if (typeof value === "string" && SAFETENSORS_DTYPES.has(value)) return value;
  throw new GemmaError("ERR_INVALID_DTYPE", `${where}: dtype must be one of safetensors', got ${describeJson(value)}`);
}

/** @throws ERR_INVALID_SHAPE */
export function readShape(value: JsonValue | undefined, where: string): readonly number[] {
  if (Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)) return value;
  const got = Array.isArray(value) ? `[${value.map(describeJson)}]` : describeJson(value);
  throw new GemmaError("ERR_INVALID_SHAPE", `${where}: shape must be a list of whole numbers >= 0, got ${got}`);
}
