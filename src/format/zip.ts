import { GemmaError } from "../base/errors.js";
import { ARCHIVE_LIMITS, type ArchiveEntry, type ArchiveLimits, checkUnpackedSize, EntryNames } from "./archive.js";
import type { ByteSource } from "./byte-source.js";
import { crc32 } from "./crc32.js";
import { inflateRange } from "./inflate.js";
import { decodeUtf8 } from "./utf8.js";

// Layout: APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).

export interface ZipEntry extends ArchiveEntry {
  readonly packedBytes: number;
  readonly packing: "stored" | "deflated";
  readonly crc32: number;
  /** Offset of the local header. */
  readonly headerOffset: number;
}

const LOCAL_MAGIC = 0x04034b50;
const LOCAL_BYTES = 30;
const CENTRAL_MAGIC = 0x02014b50;
const CENTRAL_BYTES = 46;
const END_MAGIC = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;
const STEP_BYTES = 1 << 20;

/**
 * The files of a ZIP archive (a wheel, a .keras file), from its central directory; folders are left out. Nothing is
 * unpacked. Archives with zip64, encryption, several disks or links are refused.
 *
 * @throws ERR_BAD_MAGIC, ERR_TRUNCATED, ERR_INVALID_HEADER, ERR_INVALID_UTF8, ERR_PATH_ESCAPE, ERR_DUPLICATE_NAME,
 *   ERR_OVERLAP, ERR_LIMIT_EXCEEDED, ERR_UNSUPPORTED_OPTION
 */
export function listZip(source: ByteSource, limits: ArchiveLimits = ARCHIVE_LIMITS): readonly ZipEntry[] {
  const { view, entryCount, directoryOffset } = readDirectory(source);
  const names = new EntryNames(source.name, limits);
  const entries: ZipEntry[] = [];
  let total = 0;
  let at = 0;
  for (let i = 0; i < entryCount; i++) {
    if (at + CENTRAL_BYTES > view.byteLength || view.getUint32(at, true) !== CENTRAL_MAGIC) {
      throw invalid(source, `entry ${i} must begin with PK 1 2 inside the directory, got other bytes`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const end = at + CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (end > view.byteLength) throw invalid(source, `entry ${i} must end inside the directory, got ${end}`);
    const entry = readEntry(source, view, at, nameBytes);
    names.add(entry.name);
    total += entry.sizeBytes;
    checkUnpackedSize(`${source.name}: ${entry.name}`, entry.sizeBytes, entry.packedBytes, limits);
    checkUnpackedSize(source.name, total, source.sizeBytes, limits);
    if (!entry.name.endsWith("/")) entries.push(entry);
    else if (entry.sizeBytes > 0) throw invalid(source, `folder ${entry.name} must be empty, got data`);
    at = end;
  }
  if (at !== view.byteLength) throw invalid(source, `the directory must end after ${entryCount} entries, got more`);
  checkDisjoint(source, entries, directoryOffset);
  return entries;
}

/**
 * Unpacks one entry piece by piece. Its size and CRC are checked at the end, so keep what was written only when the
 * loop over it has ended.
 *
 * @throws ERR_CHECKSUM, ERR_INVALID_HEADER, ERR_TRUNCATED
 */
export function* readZipEntry(source: ByteSource, entry: ZipEntry): Generator<Uint8Array> {
  const where = `${source.name}: ${entry.name}`;
  const offset = dataOffset(source, entry);
  const check = new EntryCheck(where, entry);
  const pieces =
    entry.packing === "stored"
      ? packedPieces(source, offset, entry.packedBytes)
      : inflateRange(source, offset, entry.packedBytes, where);
  for (const piece of pieces) {
    check.add(piece);
    yield piece;
  }
  check.end();
}

/** Unpacks raw deflate data. @throws ERR_CHECKSUM when it is no whole stream */
export type Inflater = (packed: Iterable<Uint8Array>, where: string) => AsyncIterable<Uint8Array>;

/** Like readZipEntry, with an inflater of the platform's own, which may be many times faster. */
export async function* unpackZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  inflate: Inflater,
): AsyncGenerator<Uint8Array> {
  const where = `${source.name}: ${entry.name}`;
  const check = new EntryCheck(where, entry);
  const packed = packedPieces(source, dataOffset(source, entry), entry.packedBytes);
  for await (const piece of entry.packing === "stored" ? packed : inflate(packed, where)) {
    check.add(piece);
    yield piece;
  }
  check.end();
}

/** Compares what an entry unpacks to with the size and the CRC that the directory has. */
class EntryCheck {
  private size = 0;
  private crc = 0;

  constructor(
    private readonly where: string,
    private readonly entry: ZipEntry,
  ) {}

  /** @throws ERR_CHECKSUM as soon as it unpacks to more than was announced */
  add(piece: Uint8Array): void {
    this.size += piece.length;
    if (this.size > this.entry.sizeBytes) throw this.mismatch();
    this.crc = crc32(piece, this.crc);
  }

  end(): void {
    if (this.size !== this.entry.sizeBytes || this.crc !== this.entry.crc32) throw this.mismatch();
  }

  private mismatch(): GemmaError {
    const { sizeBytes, crc32: crc } = this.entry;
    return new GemmaError(
      "ERR_CHECKSUM",
      `${this.where}: must unpack to ${sizeBytes} bytes with CRC ${crc}, got ${this.size} bytes with CRC ${this.crc}`,
    );
  }
}

function* packedPieces(source: ByteSource, offset: number, length: number): Generator<Uint8Array> {
  for (let at = 0; at < length; at += STEP_BYTES) yield source.read(offset + at, Math.min(STEP_BYTES, length - at));
}

/** Finds the end record and reads the central directory before it. */
function readDirectory(source: ByteSource) {
  const tailBytes = Math.min(source.sizeBytes, END_BYTES + MAX_COMMENT_BYTES);
  const tailOffset = source.sizeBytes - tailBytes;
  const tail = dataView(source.read(tailOffset, tailBytes));
  let at = tailBytes - END_BYTES;
  while (
    at >= 0 &&
    !(tail.getUint32(at, true) === END_MAGIC && at + END_BYTES + tail.getUint16(at + 20, true) === tailBytes)
  ) {
    at--;
  }
  if (at < 0) {
    const isZip = source.sizeBytes >= 4 && dataView(source.read(0, 4)).getUint32(0, true) === LOCAL_MAGIC;
    throw new GemmaError(
      isZip ? "ERR_TRUNCATED" : "ERR_BAD_MAGIC",
      `${source.name}: must end with a ZIP directory, got ${isZip ? "none (a cut file?)" : "another format"}`,
    );
  }
  const entryCount = tail.getUint16(at + 10, true);
  const directoryBytes = tail.getUint32(at + 12, true);
  const directoryOffset = tail.getUint32(at + 16, true);
  if (entryCount === 0xffff || directoryBytes === 0xffff_ffff || directoryOffset === 0xffff_ffff) {
    throw unsupported(source, "a plain ZIP", "zip64");
  }
  if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 8, true) !== entryCount) {
    throw unsupported(source, "on one disk", "several disks");
  }
  if (directoryOffset + directoryBytes !== tailOffset + at) {
    throw invalid(source, `the directory must lie before its end record at ${tailOffset + at}, got other offsets`);
  }
  if (directoryBytes > MAX_DIRECTORY_BYTES) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${source.name}: the directory must have at most ${MAX_DIRECTORY_BYTES} bytes, got ${directoryBytes}`,
    );
  }
  return { view: dataView(source.read(directoryOffset, directoryBytes)), entryCount, directoryOffset };
}

function readEntry(source: ByteSource, view: DataView, at: number, nameBytes: number): ZipEntry {
  const nameStart = view.byteOffset + at + CENTRAL_BYTES;
  const name = decodeUtf8(new Uint8Array(view.buffer, nameStart, nameBytes), `${source.name}: an entry's name`);
  const where = `entry ${JSON.stringify(name.slice(0, 100))}`;
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const packedBytes = view.getUint32(at + 20, true);
  const sizeBytes = view.getUint32(at + 24, true);
  const headerOffset = view.getUint32(at + 42, true);
  const unixMode = view.getUint32(at + 38, true) >>> 16;
  if (packedBytes === 0xffff_ffff || sizeBytes === 0xffff_ffff || headerOffset === 0xffff_ffff) {
    throw unsupported(source, `${where} plain`, "zip64");
  }
  if (flags & 1) throw unsupported(source, `${where} without a password`, "an encrypted one");
  if (method !== 0 && method !== 8) throw unsupported(source, `${where} stored or deflated`, `method ${method}`);
  if (method === 0 && packedBytes !== sizeBytes)
    throw invalid(source, `${where} is stored: its two sizes must be equal`);
  if ((unixMode & 0o170000) === 0o120000) {
    throw new GemmaError("ERR_PATH_ESCAPE", `${source.name}: ${where} must be a file, got a symbolic link`);
  }
  return {
    name,
    sizeBytes,
    packedBytes,
    packing: method === 0 ? "stored" : "deflated",
    crc32: view.getUint32(at + 16, true),
    headerOffset,
  };
}

/** Entries must not share bytes: bombs of a few kilobytes let thousands of entries unpack the same data. */
function checkDisjoint(source: ByteSource, entries: readonly ZipEntry[], directoryOffset: number): void {
  const sorted = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  for (const [i, entry] of sorted.entries()) {
    const end = entry.headerOffset + LOCAL_BYTES + entry.packedBytes;
    if (end > (sorted[i + 1]?.headerOffset ?? directoryOffset)) {
      throw new GemmaError("ERR_OVERLAP", `${source.name}: entry ${entry.name} must end before what follows it`);
    }
  }
}

/** Where the entry's data begins; the local header must tell the same name as the directory. */
function dataOffset(source: ByteSource, entry: ZipEntry): number {
  const header = dataView(source.read(entry.headerOffset, LOCAL_BYTES));
  const nameBytes = header.getUint16(26, true);
  const name = source.read(entry.headerOffset + LOCAL_BYTES, nameBytes);
  if (header.getUint32(0, true) !== LOCAL_MAGIC || decodeUtf8(name, `${source.name}: a local header`) !== entry.name) {
    throw invalid(source, `the local header of ${entry.name} must equal the directory's entry, got another`);
  }
  return entry.headerOffset + LOCAL_BYTES + nameBytes + header.getUint16(28, true);
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function invalid(source: ByteSource, message: string): GemmaError {
  return new GemmaError("ERR_INVALID_HEADER", `${source.name}: ${message}`);
}

function unsupported(source: ByteSource, expected: string, got: string): GemmaError {
  return new GemmaError("ERR_UNSUPPORTED_OPTION", `${source.name}: must be ${expected}, got ${got}`);
}
