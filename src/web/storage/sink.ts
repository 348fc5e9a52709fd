import { GemmaError } from "../../base/errors.js";
import type { SyncFile } from "./files.js";
import { noRoom, storageState } from "./quota.js";

/** Where a download goes. Writes are at once and complete, or throw. */
export interface Sink {
  readonly sizeBytes: number;
  write(bytes: Uint8Array, at: number): void;
  read(buffer: Uint8Array, at: number): number;
  truncate(sizeBytes: number): void;
}

/** A file of the private file system. @throws ERR_DISK_FULL when the quota is used up, or the disk full */
export class FileSink implements Sink {
  constructor(
    readonly name: string,
    private readonly file: SyncFile,
  ) {}

  get sizeBytes(): number {
    return this.file.getSize();
  }

  write(bytes: Uint8Array, at: number): void {
    let done = 0;
    while (done < bytes.length) {
      const count = this.writeSome(bytes.subarray(done), at + done);
      if (count === 0) throw noRoom(this.name, bytes.length - done, null);
      done += count;
    }
  }

  read(buffer: Uint8Array, at: number): number {
    return this.file.read(buffer, { at });
  }

  truncate(sizeBytes: number): void {
    this.file.truncate(sizeBytes);
  }

  private writeSome(bytes: Uint8Array, at: number): number {
    try {
      return this.file.write(bytes, { at });
    } catch (error) {
      if (isQuotaError(error)) throw noRoom(this.name, bytes.length, null);
      throw new GemmaError("ERR_IO", `${this.name}: must be written, got ${String(error)}`, { cause: error });
    }
  }
}

/** Memory, where the browser stores no files. */
export class MemorySink implements Sink {
  private bytes = new Uint8Array(0);
  sizeBytes = 0;

  constructor(readonly name: string) {}

  /** Room for a file of this size, so that it never has to be moved. @throws ERR_OUT_OF_MEMORY */
  reserve(sizeBytes: number): void {
    if (sizeBytes <= this.bytes.length) return;
    try {
      const larger = new Uint8Array(sizeBytes);
      larger.set(this.bytes.subarray(0, this.sizeBytes));
      this.bytes = larger;
    } catch (cause) {
      throw new GemmaError("ERR_OUT_OF_MEMORY", `${this.name}: needs ${sizeBytes} bytes at once, got no memory`, {
        cause,
      });
    }
  }

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.bytes.length) this.reserve(Math.max(end, 2 * this.bytes.length));
    this.bytes.set(bytes, at);
    this.sizeBytes = Math.max(this.sizeBytes, end);
  }

  read(buffer: Uint8Array, at: number): number {
    const part = this.bytes.subarray(at, Math.min(this.sizeBytes, at + buffer.length));
    buffer.set(part);
    return part.length;
  }

  truncate(sizeBytes: number): void {
    this.sizeBytes = sizeBytes;
  }

  get content(): Uint8Array {
    return this.bytes.subarray(0, this.sizeBytes);
  }
}

export function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}

/** The error of a write that found the quota used up, with the numbers of now. */
export async function withNumbers(error: unknown, what: string, missingBytes: number): Promise<unknown> {
  if (!(error instanceof GemmaError) || error.code !== "ERR_DISK_FULL") return error;
  return noRoom(what, missingBytes, await storageState());
}
