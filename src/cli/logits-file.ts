import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { fromSystemError } from "../base/errors.js";
import { safetensorsHeader } from "../format/safetensors-write.js";

/**
 * Writes rows of logits to a safetensors file, a tensor `logits.<line>` [T, V] a line. The header stands first and
 * knows every length, so rows go to a file beside it until all are there; the name appears when it is complete.
 */
export class LogitsWriter {
  private readonly rowsPath: string;
  private readonly rows: number;
  private readonly counts: number[] = [];
  private open = true;

  constructor(
    private readonly path: string,
    private readonly vocabSize: number,
  ) {
    this.rowsPath = `${path}.part`;
    this.rows = this.guard(() => openSync(this.rowsPath, "w+"));
  }

  /** Appends one row [V] of `line`; lines in order. */
  row(line: number, logits: Float32Array): void {
    this.counts[line] = (this.counts[line] ?? 0) + 1;
    this.guard(() => writeAll(this.rows, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength)));
  }

  finish(): void {
    const header = safetensorsHeader(
      this.counts.map((rows, line) => ({ name: `logits.${line}`, dtype: "F32", shape: [rows, this.vocabSize] })),
    );
    const whole = `${this.path}.whole`;
    this.guard(() => {
      const file = openSync(whole, "w");
      try {
        writeAll(file, header);
        const slice = new Uint8Array(1 << 20);
        for (let at = 0; ; ) {
          const length = readSync(this.rows, slice, 0, slice.length, at);
          if (length === 0) break;
          writeAll(file, slice.subarray(0, length));
          at += length;
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(whole, this.path);
    });
  }

  /** Removes what is left of an unfinished file. */
  abandon(): void {
    if (this.open) closeSync(this.rows);
    this.open = false;
    rmSync(this.rowsPath, { force: true });
    rmSync(`${this.path}.whole`, { force: true });
  }

  private guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw fromSystemError(error, this.path);
    }
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
