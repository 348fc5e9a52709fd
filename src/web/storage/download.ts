import { GemmaError } from "../../base/errors.js";
import { macrotask } from "../../base/macrotask.js";
import { Sha256 } from "../../base/sha256.js";
import { type Meter, type OnProgress, startMeter } from "../../load/progress.js";
import { type Failure, pause, statusFailure, validatorOf } from "./http.js";
import { piecesOf } from "./pieces.js";
import type { Sink } from "./sink.js";

/** Of which version of the file the bytes in the sink are. */
export interface PartNote {
  readonly from: string;
  /** A strong ETag or a Last-Modified date. */
  readonly validator?: string;
  readonly sizeBytes?: number;
}

export interface RemoteFile {
  readonly url: URL;
  /** For messages and progress. */
  readonly label: string;
  /** What the file must be, where that is known beforehand. */
  readonly sizeBytes?: number | undefined;
  readonly sha256?: string | undefined;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What an earlier visit noted about the sink's bytes. */
  readonly note?: PartNote | undefined;
  /** Keeps what the next visit has to know. */
  readonly keepNote: (note: PartNote) => Promise<void>;
  /** Told how many bytes are still to come. @throws ERR_DISK_FULL */
  readonly expectRoom: (bytes: number) => Promise<void>;
  /** First pause before another attempt; doubled each time. Default: 500. */
  readonly retryDelayMs?: number;
}

/** Attempts in a row that bring nothing: a host that never answered is given up sooner than a line that was cut. */
const ATTEMPTS_AT_START = 3;
const ATTEMPTS_AFTER_CUT = 6;
const SILENCE_MS = 30_000;
const HASH_STEP = 4 << 20;

/**
 * Fetches a file into a sink. A cut leaves its bytes there: this call, and the next, go on from them. What the file must hash
 * to, where that is known, is computed while it streams.
 *
 * @returns its size in bytes
 * @throws ERR_CHECKSUM (the sink is emptied), ERR_NETWORK, ERR_MISSING_FILE (404), ERR_DISK_FULL; the reason of an
 *   aborted signal
 */
export async function download(file: RemoteFile, sink: Sink, options: DownloadOptions): Promise<number> {
  const transfer = new Transfer(file, sink, options);
  await transfer.run();
  const sha256 = transfer.hash?.hex();
  if (sha256 !== file.sha256) {
    sink.truncate(0);
    throw new GemmaError("ERR_CHECKSUM", `${transfer.from}: must have SHA-256 ${file.sha256}, got ${sha256}`, {
      hint: "the download was removed; try again, and if it happens again the server holds another file",
    });
  }
  return transfer.done;
}

class Transfer {
  readonly from: string;
  /** Bytes in the sink, all of them in `hash`. */
  done = 0;
  /** undefined: nobody knows what it must be. */
  hash: Sha256 | undefined;
  private note: PartNote;
  private meter: Meter | undefined;

  constructor(
    private readonly file: RemoteFile,
    private readonly sink: Sink,
    private readonly options: DownloadOptions,
  ) {
    this.from = `${file.url.origin}${file.url.pathname}`;
    this.note = { from: this.from };
    this.hash = this.newHash();
  }

  async run(): Promise<void> {
    const { signal, retryDelayMs = 500 } = this.options;
    await this.takeOver();
    let fruitless = 0;
    let everReceived = this.done > 0;
    for (;;) {
      signal.throwIfAborted();
      const before = this.done;
      const failure = await this.attempt();
      if (failure === undefined) return;
      const received = this.done > before;
      everReceived ||= received;
      fruitless = received ? 1 : fruitless + 1;
      const allowed = everReceived ? ATTEMPTS_AFTER_CUT : ATTEMPTS_AT_START;
      if (!failure.isTransient || fruitless >= allowed) throw failure.error;
      await pause(retryDelayMs * 2 ** (fruitless - 1), signal);
    }
  }

  /** Goes on from what an earlier visit left, if it is the beginning of the same file. */
  private async takeOver(): Promise<void> {
    const { note } = this.options;
    const size = this.sink.sizeBytes;
    // With the final hash known, the bytes may come from anywhere; otherwise the server must vouch for them.
    const isOurs =
      note !== undefined &&
      size > 0 &&
      note.from === this.from &&
      (note.validator !== undefined || this.file.sha256 !== undefined) &&
      size <= (this.file.sizeBytes ?? note.sizeBytes ?? Number.POSITIVE_INFINITY);
    if (!isOurs) return this.sink.truncate(0);
    this.note = note;
    if (this.hash === undefined) this.done = size;
    else await this.hashAgain(this.hash, size);
  }

  private async hashAgain(hash: Sha256, size: number): Promise<void> {
    const meter = startMeter(this.options.onProgress, "verify", this.file.label, size);
    const buffer = new Uint8Array(Math.min(HASH_STEP, size));
    while (this.done < size) {
      const count = this.sink.read(buffer, this.done);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      this.done += count;
      meter.set(this.done);
      await macrotask();
      this.options.signal.throwIfAborted();
    }
    meter.finish(this.done);
  }

  /** One request. Returns what went wrong, or undefined when the file is complete. */
  private async attempt(): Promise<Failure | undefined> {
    const total = this.file.sizeBytes ?? this.note.sizeBytes;
    if (total !== undefined && this.done === total) return undefined;
    const { signal, headers } = this.options;
    const request = new AbortController();
    const abort = () => request.abort(signal.reason);
    signal.addEventListener("abort", abort);
    const isSilent = () => request.abort(this.failed("must send bytes", `nothing for ${SILENCE_MS / 1000} s`));
    let timer = setTimeout(isSilent, SILENCE_MS);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(isSilent, SILENCE_MS);
    };
    try {
      const response = await fetch(this.file.url, {
        headers: { ...headers, ...(this.done > 0 ? { range: `bytes=${this.done}-` } : {}) },
        cache: "no-store", // the browser would keep a second copy
        signal: request.signal,
      });
      const problem = await this.accept(response);
      if (problem !== undefined) {
        await response.body?.cancel().catch(() => {});
        return problem;
      }
      await this.receive(response, heard);
      return this.completeness();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GemmaError) return { error, isTransient: error.code === "ERR_NETWORK" };
      return { error: this.unreachable(error), isTransient: true };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Reads the answer's head and sets the sink to where its bytes belong. */
  private async accept(response: Response): Promise<Failure | undefined> {
    const { status, headers } = response;
    if (status === 416 && this.done > 0) {
      await this.restart({ from: this.from }); // the file is shorter now: another file
      return { error: this.failed("must continue the file", "status 416"), isTransient: true };
    }
    if (status !== 200 && status !== 206) return statusFailure(this.from, status);
    const sizeBytes = this.sizeOf(response);
    const expected = this.file.sizeBytes;
    if (expected !== undefined && sizeBytes !== undefined && sizeBytes !== expected) {
      return { error: this.failed(`must have ${expected} bytes`, `${sizeBytes}`), isTransient: false };
    }
    const validator = validatorOf(headers);
    if (status === 206 && !this.continues(headers, sizeBytes, validator)) {
      await this.restart({ from: this.from });
      return { error: this.failed("must continue the same file", "another"), isTransient: true };
    }
    if (status === 200) {
      await this.restart({
        from: this.from,
        ...(validator === undefined ? {} : { validator }),
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      });
    }
    const total = expected ?? sizeBytes;
    if (total !== undefined) await this.options.expectRoom(total - this.done);
    this.meter = startMeter(this.options.onProgress, "download", this.file.label, total, this.done);
    return undefined;
  }

  /** Of the whole file. Other origins hide Content-Range unless they say otherwise, and show Content-Length. */
  private sizeOf({ status, headers }: Response): number | undefined {
    if (headers.has("content-encoding")) return undefined; // the length is that of the packed bytes
    const total = /\/(\d{1,15})$/.exec(headers.get("content-range") ?? "")?.[1];
    if (total !== undefined) return Number(total);
    const length = headers.get("content-length");
    if (length === null || !/^\d{1,15}$/.test(length)) return undefined;
    return Number(length) + (status === 206 ? this.done : 0);
  }

  private continues(headers: Headers, sizeBytes: number | undefined, validator: string | undefined): boolean {
    const start = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1];
    return (
      (start === undefined || Number(start) === this.done) &&
      (validator === undefined || validator === (this.note.validator ?? validator)) &&
      (sizeBytes === undefined || sizeBytes === (this.note.sizeBytes ?? sizeBytes))
    );
  }

  private async restart(note: PartNote): Promise<void> {
    this.sink.truncate(0);
    this.done = 0;
    this.hash = this.newHash();
    this.note = note;
    await this.options.keepNote(note);
  }

  private newHash(): Sha256 | undefined {
    return this.file.sha256 === undefined ? undefined : new Sha256();
  }

  private async receive(response: Response, heard: () => void): Promise<void> {
    const limit = this.file.sizeBytes ?? this.note.sizeBytes ?? Number.POSITIVE_INFINITY;
    for await (const piece of piecesOf(response.body!)) {
      heard();
      if (this.done + piece.length > limit) throw this.failed(`must have ${limit} bytes`, "more");
      this.sink.write(piece, this.done);
      this.hash?.update(piece);
      this.done += piece.length;
      this.meter!.set(this.done);
    }
  }

  private completeness(): Failure | undefined {
    const total = this.file.sizeBytes ?? this.note.sizeBytes;
    if (total !== undefined && this.done < total) {
      return { error: this.failed(`must have ${total} bytes`, `${this.done}`), isTransient: true };
    }
    this.meter!.finish(this.done);
    return undefined;
  }

  private failed(must: string, got: string): GemmaError {
    return new GemmaError("ERR_NETWORK", `${this.from}: ${must}, got ${got}`);
  }

  /** A page is not told why: no line, no such host, or a server that does not allow this site. */
  private unreachable(cause: unknown): GemmaError {
    return new GemmaError("ERR_NETWORK", `${this.from}: must answer, got ${String(cause)}`, {
      cause,
      hint: "look at the connection; a server of another origin must allow this one (CORS)",
    });
  }
}
