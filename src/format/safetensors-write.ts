import { GemmaError } from "../base/errors.js";
import {
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  readDtype,
  readShape,
  SAFETENSORS_DTYPES,
  shapeBytes,
} from "./safetensors-dtypes.js";

/** What the header says of a tensor. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/**
 * The front of a safetensors file: length and header, padded with spaces so that the data begins at a multiple of
 * 8 bytes. The caller writes this and then each entry's data in order, without gaps.
 *
 * @throws ERR_DUPLICATE_NAME, ERR_INVALID_NAME, ERR_INVALID_DTYPE, ERR_OVERFLOW, ERR_LIMIT_EXCEEDED
 */
export function safetensorsHeader(
  entries: readonly SafetensorsEntry[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const members: string[] = [];
  if (metadata.size > 0) {
    const texts = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    members.push(`"${METADATA_KEY}":{${texts.join()}}`);
  }
  const names = new Set<string>();
  let begin = 0;
  for (const { name, dtype, shape } of entries) {
    const where = `safetensorsHeader: tensor ${name}`;
    if (name === METADATA_KEY) throw new GemmaError("ERR_INVALID_NAME", `${where}: this name is reserved`);
    if (names.has(name)) throw new GemmaError("ERR_DUPLICATE_NAME", `${where} must occur once, got it twice`);
    names.add(name);
    const end = begin + shapeBytes(readDtype(dtype, where), readShape(shape, where), where);
    members.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`);
    begin = end;
  }
  const json = new TextEncoder().encode(`{${members.join()}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `safetensorsHeader: the header must have at most ${MAX_HEADER_BYTES} bytes, got ${length}`,
    );
  }
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

/** A tensor to be written. */
export interface SafetensorsData extends SafetensorsEntry {
  /**
   * The tensor's bytes, little-endian and row-major, in as many slices as the caller likes: they are asked for when
   * their turn comes, once, and each may be overwritten as soon as the next one is asked for.
   */
  readonly data: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * A safetensors file, in slices. Tensors stand in the order of the reference library, whatever the order given:
 * widest type first, so that each is aligned, then by name. The same tensors give the same bytes.
 *
 * @throws what safetensorsHeader throws, before the first slice; ERR_SHAPE_MISMATCH when a tensor's data does not
 *   have the bytes of its shape
 */
export async function* safetensorsFile(
  tensors: readonly SafetensorsData[],
  metadata?: ReadonlyMap<string, string>,
): AsyncGenerator<Uint8Array, void> {
  const inOrder = [...tensors].sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1));
  yield safetensorsHeader(inOrder, metadata);
  for (const { name, dtype, shape, data } of inOrder) {
    const where = `safetensorsFile: tensor ${name}`;
    const sizeBytes = shapeBytes(dtype, shape, where);
    let written = 0;
    for await (const slice of data()) {
      written += slice.length;
      if (written > sizeBytes) break;
      yield slice;
    }
    if (written === sizeBytes) continue;
    const got = written > sizeBytes ? "more" : written;
    throw new GemmaError("ERR_SHAPE_MISMATCH", `${where}: data must have ${sizeBytes} bytes, got ${got}`);
  }
}

const DTYPE_ORDER = [...SAFETENSORS_DTYPES.keys()];

function rank({ dtype }: SafetensorsEntry): number {
  return DTYPE_ORDER.indexOf(dtype);
}
