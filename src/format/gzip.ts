import { GemmaError } from "../base/errors.js";
import { type ArchiveLimits, checkUnpackedSize } from "./archive.js";
import type { ByteSource } from "./byte-source.js";
import { crc32 } from "./crc32.js";
import { inflateRange } from "./inflate.js";

// RFC 1952. Flags of the header: 2 has a CRC of 16 bits, 4 extra fields, 8 a file name, 16 a comment.
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const MAX_HEADER_BYTES = 65_536 + 4096;

/**
 * Unpacks a gzip file of one member, piece by piece; CRC and size are checked at the end.
 * @throws ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_INVALID_HEADER, ERR_CHECKSUM, ERR_LIMIT_EXCEEDED
 */
export function* gunzip(source: ByteSource, limits: ArchiveLimits): Generator<Uint8Array> {
  const start = headerLength(source);
  const packed = source.sizeBytes - start - TRAILER_BYTES;
  const trailer = source.read(start + packed, TRAILER_BYTES);
  const trailerView = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_BYTES);
  let size = 0;
  let crc = 0;
  for (const piece of inflateRange(source, start, packed, source.name)) {
    size += piece.length;
    checkUnpackedSize(source.name, size, source.sizeBytes, limits);
    crc = crc32(piece, crc);
    yield piece;
  }
  if (crc !== trailerView.getUint32(0, true) || size % 2 ** 32 !== trailerView.getUint32(4, true)) {
    throw new GemmaError("ERR_CHECKSUM", `${source.name}: must unpack to data with the CRC of its end, got other data`);
  }
}

function headerLength(source: ByteSource): number {
  const bytes = source.read(0, Math.min(source.sizeBytes, MAX_HEADER_BYTES));
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) {
    throw new GemmaError("ERR_BAD_MAGIC", `${source.name}: must begin with the bytes of gzip, got others`);
  }
  const flags = bytes[3] ?? 0;
  let at = HEADER_BYTES;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  if (flags & 8) at = bytes.indexOf(0, at) + 1;
  if (flags & 16 && at > 0) at = bytes.indexOf(0, at) + 1;
  if (flags & 2) at += 2;
  if (at < HEADER_BYTES || flags > 31) {
    throw new GemmaError(
      "ERR_INVALID_HEADER",
      `${source.name}: must have a gzip header, got flags ${flags} without end`,
    );
  }
  if (at + TRAILER_BYTES > source.sizeBytes) {
    throw new GemmaError("ERR_TRUNCATED", `${source.name}: must have data behind its gzip header, got none`);
  }
  return at;
}
