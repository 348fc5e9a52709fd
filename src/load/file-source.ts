import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { type ByteSource, checkRange } from "../format/byte-source.js";

const READ_STEP = 1 << 30; // the operating systems read at most 2 GB a call

/**
 * Opens a file for reading by offset. It is read, not mapped: a mapped file that is cut short by someone else
 * kills the process, a read of it throws ERR_TRUNCATED.
 *
 * @throws ERR_MISSING_FILE, or ERR_IO when it cannot be opened or is no regular file
 */
export function fileSource(path: string): ByteSource {
  try {
    // O_NONBLOCK: opening a FIFO would wait for a writer. Windows has none (undefined).
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) {
        const kind = stat.isDirectory() ? "a directory" : "a device or pipe";
        throw new GemmaError("ERR_IO", `${path}: must be a regular file, got ${kind}`);
      }
      return new FileSource(path, stat.size, { descriptor: fd, inode: stat.ino });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

class FileSource implements ByteSource {
  private closed = false;

  constructor(
    readonly name: string,
    readonly sizeBytes: number,
    readonly file: { readonly descriptor: number; readonly inode: number },
  ) {}

  read(offset: number, length: number, buffer?: Uint8Array): Uint8Array {
    if (this.closed) throw new GemmaError("ERR_DISPOSED", `${this.name}: must be open to be read, got a closed file`);
    checkRange(this.name, this.sizeBytes, offset, length);
    const bytes = buffer && length <= buffer.length ? buffer.subarray(0, length) : this.allocate(length);
    let done = 0;
    while (done < length) {
      const count = this.readSome(bytes, done, Math.min(READ_STEP, length - done), offset + done);
      if (count === 0) {
        throw new GemmaError(
          "ERR_TRUNCATED",
          `${this.name}: must keep its ${this.sizeBytes} bytes while it is read, got an end at ${offset + done}`,
        );
      }
      done += count;
    }
    return bytes;
  }

  close(): void {
    if (!this.closed) closeSync(this.file.descriptor);
    this.closed = true;
  }

  private allocate(length: number): Uint8Array {
    try {
      return new Uint8Array(length);
    } catch (cause) {
      throw new GemmaError("ERR_OUT_OF_MEMORY", `${this.name}: must read ${length} bytes at once, got no memory`, {
        cause,
      });
    }
  }

  private readSome(bytes: Uint8Array, at: number, length: number, position: number): number {
    try {
      return readSync(this.file.descriptor, bytes, at, length, position);
    } catch (error) {
      throw fromSystemError(error, this.name);
    }
  }
}
