import { close, constants, fstatSync, open, write } from "node:fs";
import { isatty } from "node:tty";
import { promisify } from "node:util";
import { fromSystemError } from "../../base/errors.js";

/** Writes bytes and says how many were taken. */
export type WriteBytes = (
  bytes: Uint8Array,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

const MAX_WAITING_BYTES = 1 << 20;
const MAX_WRITE_BYTES = 64 << 10;
const RETRY_MS = 100;

/**
 * Where log lines go. A destination that is full, slow or gone never throws and never makes the server wait: lines are dropped
 * and counted then. Lines stay whole: one that was cut by a full disk ends before the next one begins.
 */
export class LogSink {
  /** Lines that nobody will see. */
  dropped = 0;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private isWriting = false;
  private isTorn = false;
  private whenIdle: () => void = () => {};

  constructor(
    private readonly writeBytes: WriteBytes,
    private readonly end: () => Promise<void> = async () => {},
  ) {}

  /** @param line  with its line break */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (!this.isWriting) this.writeNext();
  }

  /** Waits until all lines are written, `timeoutMs` at most, and closes a file. Whether all were. */
  async close(timeoutMs = 1000): Promise<boolean> {
    if (this.isWriting) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.whenIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.isWriting) return false;
    await this.end();
    return true;
  }

  private writeNext(): void {
    const lines: Buffer[] = [];
    let bytes = 0;
    while (this.waiting.length > 0 && bytes < MAX_WRITE_BYTES) {
      const line = this.waiting.shift()!;
      lines.push(line);
      bytes += line.length;
    }
    this.isWriting = lines.length > 0;
    if (!this.isWriting) {
      this.whenIdle();
      return;
    }
    const lead = this.isTorn ? [NEWLINE] : [];
    const all = Buffer.concat([...lead, ...lines]);
    this.writeAll(all, 0, (written) => {
      const ends = all.subarray(0, written).filter((byte) => byte === NEWLINE[0]).length;
      if (written > 0) this.isTorn = all[written - 1] !== NEWLINE[0];
      this.dropped += lines.length - Math.max(0, ends - lead.length);
      this.waitingBytes -= bytes;
      this.writeNext();
    });
  }

  /** `done` gets how many bytes were written: all, or those before an error. */
  private writeAll(bytes: Buffer, from: number, done: (written: number) => void): void {
    this.writeBytes(bytes.subarray(from), (error, written) => {
      if (error?.code === "EAGAIN") setTimeout(() => this.writeAll(bytes, from, done), RETRY_MS).unref();
      else if (error === null && from + written < bytes.length) this.writeAll(bytes, from + written, done);
      else done(error === null ? bytes.length : from);
    });
  }
}

const NEWLINE = Buffer.from("\n");

/** A file that lines are added to; only its owner may read a new one. @throws ERR_IO, ERR_MISSING_FILE */
export async function fileSink(path: string): Promise<LogSink> {
  try {
    // Not to wait where it is a pipe that nobody reads.
    const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
    const fd = await promisify(open)(path, O_APPEND | O_CREAT | O_NONBLOCK | O_WRONLY, 0o600);
    return new LogSink(toDescriptor(fd), () => promisify(close)(fd));
  } catch (error) {
    throw fromSystemError(error, `log file ${path}`);
  }
}

/**
 * Standard error. Where it is a file, Node would write to it while everything waits and end the process when the disk is full;
 * where it is a pipe, a write on another thread would keep the process from ending as long as nobody reads. So each goes the
 * other way.
 */
export function stderrSink(): LogSink {
  if (!isStream(2)) return new LogSink(toDescriptor(2));
  process.stderr.on("error", () => {}); // the callback of the write has it too
  return new LogSink((bytes, done) => process.stderr.write(bytes, (error) => done(error ?? null, bytes.length)));
}

function toDescriptor(fd: number): WriteBytes {
  return (bytes, done) => write(fd, bytes, done);
}

function isStream(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isFIFO() || found.isSocket() || isatty(fd);
  } catch {
    return false; // closed by whoever started the process: each write says so
  }
}
