import { GemmaError } from "../base/errors.js";

/** One field of a message. `value` is the number of a varint or fixed32; else the value lies in [start, end). */
export interface ProtobufField {
  readonly number: number;
  readonly wire: "varint" | "fixed64" | "bytes" | "fixed32";
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Walks the fields of the protobuf message bytes[start, end). Nothing is allocated by lengths in the file.
 *
 * @param where begins every message: `tokenizer.model`
 * @throws ERR_TRUNCATED when a value ends beyond `end`
 * @throws ERR_INVALID_HEADER for a wire type other than 0, 1, 2, 5 and for a varint of more than ten bytes
 */
export function* protobufFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  where: string,
): Generator<ProtobufField, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;

  // Exact up to 2^53; a larger number only ever fails the comparison with the bytes left.
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (at >= end)
        throw new GemmaError("ERR_TRUNCATED", `${where}: a number must end before byte ${end}, got the end`);
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new GemmaError("ERR_INVALID_HEADER", `${where}: a number must have at most 10 bytes, got more at byte ${at}`);
  };

  while (at < end) {
    const fieldAt = at;
    const key = varint();
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    const wire =
      wireType === 0
        ? "varint"
        : wireType === 1
          ? "fixed64"
          : wireType === 2
            ? "bytes"
            : wireType === 5
              ? "fixed32"
              : null;
    if (wire === null || number === 0) {
      throw new GemmaError(
        "ERR_INVALID_HEADER",
        `${where}: a field must have a number > 0 and wire type 0, 1, 2 or 5, got ${number} and ${wireType} at byte ${fieldAt}`,
      );
    }
    const number0 = wire === "varint" || wire === "bytes" ? varint() : 0;
    const length = wire === "bytes" ? number0 : wire === "fixed64" ? 8 : wire === "fixed32" ? 4 : 0;
    if (length > end - at) {
      throw new GemmaError(
        "ERR_TRUNCATED",
        `${where}: field ${number} at byte ${fieldAt} must end before byte ${end}, got ${length} bytes`,
      );
    }
    const value = wire === "fixed32" ? view.getUint32(at, true) : number0;
    yield { number, wire, value, start: at, end: at + length };
    at += length;
  }
}
