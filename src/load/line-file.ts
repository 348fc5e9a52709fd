import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fromSystemError } from "../base/errors.js";

const LINE_FEED = 0x0a;

/** The whole of a file; null where there is none. */
export async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * The whole lines of a file, without their ends, with their numbers from 1; nothing of a line that a killed process did not finish.
 * @returns the bytes that they take
 */
export async function readWholeLines(path: string, onLine: (text: string, line: number) => void): Promise<number> {
  const bytes = (await readIfThere(path)) ?? Buffer.alloc(0);
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end < 0) return start;
    onLine(bytes.toString("utf8", start, end), line);
    start = end + 1;
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
    this.file = openSync(path, "a");
    ftruncateSync(this.file, sizeBytes);
  }

  /** The line is the file's when this returns. */
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

  close(): void {
    closeSync(this.file);
  }
}
