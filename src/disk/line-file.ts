import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { fromSystemError } from "../base/errors.js";

const LINE_FEED = 0x0a;

/**
 * The whole lines of a file, without their ends, with their numbers from 1; nothing of a line that a killed process did not
 * finish. A file that is not there has none.
 *
 * @param onLine tells whether the line counts: the first that does not is the end
 * @returns the bytes that the lines take
 * @throws ERR_IO, and what `onLine` throws
 */
export function readWholeLines(path: string, onLine: (text: string, line: number) => boolean): number {
  const bytes = readIfThere(path) ?? Buffer.alloc(0);
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end < 0 || !onLine(bytes.toString("utf8", start, end), line)) return start;
    start = end + 1;
  }
}

/** The whole of a file; null where there is none. @throws ERR_IO */
export function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw fromSystemError(error, path);
  }
}

/** A file of JSON lines that grows line by line. */
export class LineFile {
  private readonly file: number;

  /** @param sizeBytes of its whole lines: what stands behind them is cut off */
  constructor(
    private readonly path: string,
    private sizeBytes: number,
  ) {
    let file = -1;
    try {
      file = openSync(path, "a");
      ftruncateSync(file, sizeBytes);
    } catch (error) {
      if (file >= 0) closeSync(file);
      throw fromSystemError(error, path);
    }
    this.file = file;
  }

  /** The line is the file's when this returns. @throws ERR_DISK_FULL, ERR_IO: nothing of the line is left */
  append(value: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done);
      this.sizeBytes += bytes.length;
    } catch (error) {
      ftruncateSync(this.file, this.sizeBytes); // others may still come, and begin a line of their own
      throw fromSystemError(error, this.path);
    }
  }

  /** Has all lines on the disk. @throws ERR_DISK_FULL, ERR_IO */
  sync(): void {
    try {
      fsyncSync(this.file);
    } catch (error) {
      throw fromSystemError(error, this.path);
    }
  }

  close(): void {
    closeSync(this.file);
  }
}
