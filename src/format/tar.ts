import { GemmaError } from "../base/errors.js";
import { ARCHIVE_LIMITS, type ArchiveEntry, type ArchiveLimits, EntryNames } from "./archive.js";
import type { ByteSource } from "./byte-source.js";
import { gunzip } from "./gzip.js";
import { decodeUtf8 } from "./utf8.js";

// POSIX.1-1988 ustar: blocks of 512 bytes; a header block, then the file's data padded to a block.
const BLOCK_BYTES = 512;
const MAX_EXTENSION_BYTES = 65_536;

/** A piece of a file of the archive; a file's pieces come in order, one file after the other. */
export interface TarPiece {
  readonly entry: ArchiveEntry;
  readonly bytes: Uint8Array;
}

/**
 * Unpacks the wanted files of a .tar.gz, piece by piece (an empty file has no piece). Folders are left out; links
 * and devices are refused, and so are extended headers that change a name or size. The archive is checked as it is
 * read, so keep what was written only when the loop over it has ended.
 *
 * @param wanted is asked for each file; data of the others is skipped
 * @throws ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_INVALID_HEADER, ERR_CHECKSUM, ERR_PATH_ESCAPE, ERR_DUPLICATE_NAME,
 *   ERR_INVALID_UTF8, ERR_LIMIT_EXCEEDED, ERR_UNSUPPORTED_OPTION
 */
export function* readTarGz(
  source: ByteSource,
  wanted: (entry: ArchiveEntry) => boolean,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Generator<TarPiece> {
  const stream = new PieceReader(source.name, gunzip(source, limits));
  const names = new EntryNames(source.name, limits);
  for (;;) {
    const block = stream.exactly(BLOCK_BYTES);
    if (block.every((byte) => byte === 0)) break;
    const header = readHeader(block, source.name);
    const padding = (BLOCK_BYTES - (header.sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    if (header.kind === "extension") {
      checkExtension(stream, header, source.name);
    } else if (header.name !== "") {
      names.add(header.name);
      const keep = header.kind === "file" && wanted(header);
      const entry = { name: header.name, sizeBytes: header.sizeBytes };
      for (const bytes of stream.pieces(header.sizeBytes)) if (keep) yield { entry, bytes };
    }
    stream.exactly(padding);
  }
  stream.drain(); // the CRC comes behind the last block
}

interface TarHeader extends ArchiveEntry {
  readonly kind: "file" | "folder" | "extension";
}

function readHeader(block: Uint8Array, where: string): TarHeader {
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (sum !== octal(block, 148, 8, where)) {
    throw new GemmaError("ERR_CHECKSUM", `${where}: a tar header must have its checksum, got another`);
  }
  const isUstar = text(block, 257, 5, where) === "ustar";
  const prefix = isUstar ? text(block, 345, 155, where) : "";
  const path = prefix === "" ? text(block, 0, 100, where) : `${prefix}/${text(block, 0, 100, where)}`;
  const name = path.replace(/^(\.\/)+/, ""); // `tar c .` writes ./ before every name, and ./ alone for the folder itself
  const kind = entryKind(String.fromCharCode(block[156]!), name, where);
  const sizeBytes = octal(block, 124, 12, where);
  if (kind === "folder" && sizeBytes > 0) {
    throw new GemmaError("ERR_INVALID_HEADER", `${where}: folder ${path} must be empty, got ${sizeBytes} bytes`);
  }
  if (kind === "file" && name === "")
    throw new GemmaError("ERR_INVALID_NAME", `${where}: a file must have a name, got none`);
  return { name, kind, sizeBytes };
}

function entryKind(flag: string, name: string, where: string): TarHeader["kind"] {
  if (flag === "0" || flag === "\0") return name.endsWith("/") ? "folder" : "file";
  if (flag === "5") return "folder";
  if (flag === "x" || flag === "g") return "extension";
  if (flag === "1" || flag === "2") {
    throw new GemmaError("ERR_PATH_ESCAPE", `${where}: ${name} must be a file, got a link`);
  }
  throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: ${name} must be a file, got type ${JSON.stringify(flag)}`);
}

/** pax headers may tell times and owners; one that renames or resizes an entry would escape the checks above. */
function checkExtension(stream: PieceReader, header: TarHeader, where: string): void {
  if (header.sizeBytes > MAX_EXTENSION_BYTES) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${where}: an extended header must have at most ${MAX_EXTENSION_BYTES} bytes, got ${header.sizeBytes}`,
    );
  }
  const records = decodeUtf8(stream.exactly(header.sizeBytes), `${where}: an extended header`);
  if (/^\d+ (path|linkpath|size|GNU\.sparse[^=]*)=/m.test(records)) {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: extended headers must not change names or sizes`);
  }
}

function text(block: Uint8Array, at: number, length: number, where: string): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return decodeUtf8(end < 0 ? field : field.subarray(0, end), `${where}: a tar header`);
}

function octal(block: Uint8Array, at: number, length: number, where: string): number {
  const digits = String.fromCharCode(...block.subarray(at, at + length))
    .replace(/[\0 ]+$/, "")
    .trimStart();
  if (!/^[0-7]+$/.test(digits)) {
    throw new GemmaError(
      "ERR_INVALID_HEADER",
      `${where}: a tar number must be octal digits, got ${JSON.stringify(digits)}`,
    );
  }
  return Number.parseInt(digits, 8);
}

/** Cuts a stream of pieces of any length into pieces of wanted lengths. */
class PieceReader {
  private piece: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly where: string,
    private readonly source: Iterator<Uint8Array>,
  ) {}

  /** The next `length` bytes in one piece. */
  exactly(length: number): Uint8Array {
    const out = new Uint8Array(length);
    let at = 0;
    for (const piece of this.pieces(length)) {
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }

  /** The next `length` bytes. */
  *pieces(length: number): Generator<Uint8Array> {
    let left = length;
    while (left > 0) {
      if (this.piece.length === 0 && !this.next()) {
        throw new GemmaError("ERR_TRUNCATED", `${this.where}: the archive must go on for ${left} bytes, got its end`);
      }
      const piece = this.piece.subarray(0, left);
      this.piece = this.piece.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  drain(): void {
    while (this.next());
  }

  private next(): boolean {
    const { value, done } = this.source.next();
    this.piece = done ? new Uint8Array(0) : value;
    return !done;
  }
}
