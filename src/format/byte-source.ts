import { GemmaError } from "../base/errors.js";

/** Bytes at rest: a file, a buffer, a part of a larger file. Reading is synchronous and complete or throws. */
export interface ByteSource {
  /** For messages: usually the file's name. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * Exactly `length` bytes from `offset`. The result may share memory with the source: do not write to it.
   * @param buffer where a source that must copy may put them, if they fit, instead of in fresh memory
   * @throws ERR_OUT_OF_BOUNDS when offset or length is negative, fractional or beyond 2^53
   * @throws ERR_TRUNCATED when the range ends beyond the end of the source
   */
  read(offset: number, length: number, buffer?: Uint8Array): Uint8Array;
  /** The open file, where it is one. */
  readonly file?: { readonly descriptor: number; readonly inode: number };
  close(): void;
}

/** Throws unless [offset, offset + length) lies in the source; every ByteSource calls it before it reads. */
export function checkRange(name: string, sizeBytes: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new GemmaError(
      "ERR_OUT_OF_BOUNDS",
      `${name}: offset and length must be whole numbers >= 0, got ${offset} and ${length}`,
    );
  }
  if (length > sizeBytes - offset) {
    throw new GemmaError(
      "ERR_TRUNCATED",
      `${name}: bytes ${offset} to ${offset + length} must lie in the file, got a file of ${sizeBytes} bytes`,
    );
  }
}

/** A source over bytes in memory. Reads are views of `bytes`. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    read(offset, length) {
      checkRange(name, bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    close() {},
  };
}
