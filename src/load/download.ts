import type { Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fromSystemError, GemmaError } from "../base/errors.js";
import type { GetOptions, Net, NetResponse } from "./net.js";
import { explainFailure, type Failure, statusError } from "./net-errors.js";
import {
  type ArrivedFile,
  commitPart,
  expectFreeSpace,
  findArrival,
  hashFile,
  noteArrival,
  type PartInfo,
  partPath,
  partSize,
  readPartInfo,
  removePart,
  writePartInfo,
} from "./partial.js";
import { type Meter, type OnProgress, startMeter } from "./progress.js";
import { describeUrl } from "./spec.js";

export interface DownloadOptions extends GetOptions {
  /** What the file must be, where that is known beforehand. */
  readonly sha256?: string | undefined;
  readonly sizeBytes?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** A better error for a status, such as 401; undefined leaves the general one. */
  readonly explainStatus?: (status: number) => GemmaError | undefined;
  /** First pause before another attempt; doubled each time. Default 500. */
  readonly retryDelayMs?: number;
}

/** Attempts in a row that bring nothing: a host that never answered is given up sooner than a line that was cut. */
const ATTEMPTS_AT_START = 3;
const ATTEMPTS_AFTER_CUT = 6;

/**
 * Fetches `url` into `dest`. A cut leaves `<dest>.part`, and the next call goes on from there. `dest` itself
 * appears only when it is complete and its SHA-256 is right.
 *
 * @returns size and SHA-256 of the file
 * @throws ERR_CHECKSUM, ERR_DISK_FULL, ERR_NETWORK, ERR_MISSING_FILE (404), ERR_FORBIDDEN_ADDRESS, or the
 *   reason of an aborted signal
 */
export async function downloadFile(net: Net, url: URL, dest: string, options: DownloadOptions): Promise<ArrivedFile> {
  const transfer = new Transfer(net, url, dest, options);
  const earlier = await findArrival(dest, transfer.what);
  if (earlier !== undefined && earlier.sha256 === (options.sha256 ?? earlier.sha256)) return earlier;
  try {
    await transfer.run();
    await transfer.close(); // Windows renames no open file
    const sha256 = transfer.hash.digest("hex");
    await commitPart(dest, sha256, options.sha256, transfer.what);
    const file = { sizeBytes: transfer.done, sha256 };
    await noteArrival(dest, transfer.what, file);
    return file;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw fromSystemError(error, dest);
  } finally {
    await transfer.close();
  }
}

class Transfer {
  readonly what: string;
  /** Bytes in the part, all of them in `hash`. */
  done = 0;
  hash!: Hash;
  private info: PartInfo;
  private file: FileHandle | undefined;
  private meter: Meter | undefined;

  constructor(
    private readonly net: Net,
    private readonly url: URL,
    private readonly dest: string,
    private readonly options: DownloadOptions,
  ) {
    this.what = describeUrl(url);
    this.info = { from: this.what };
  }

  async close(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    await file?.close();
  }

  async run(): Promise<void> {
    await this.openPart();
    let fruitless = 0;
    let everReceived = false;
    for (;;) {
      this.options.signal?.throwIfAborted();
      const before = this.done;
      const failure = await this.attempt();
      if (failure === undefined) return;
      const received = this.done > before;
      everReceived ||= received;
      fruitless = received ? 1 : fruitless + 1;
      const allowed = everReceived ? ATTEMPTS_AFTER_CUT : ATTEMPTS_AT_START;
      if (!failure.transient || fruitless >= allowed) throw failure.error;
      await sleep((this.options.retryDelayMs ?? 500) * 2 ** (fruitless - 1), undefined, abortable(this.options.signal));
    }
  }

  /** Takes over what an earlier call left, if it is the beginning of the same file. */
  private async openPart(): Promise<void> {
    const info = await readPartInfo(this.dest);
    const size = await partSize(this.dest);
    const expected = this.options.sizeBytes;
    // With the final hash known, the bytes may come from anywhere; otherwise the server must vouch for them.
    const resumable =
      info !== undefined &&
      size > 0 &&
      info.from === this.what &&
      (info.validator !== undefined || this.options.sha256 !== undefined) &&
      size <= (expected ?? info.sizeBytes ?? Number.POSITIVE_INFINITY);
    if (!resumable) await removePart(this.dest);
    else this.info = info;
    this.done = resumable ? size : 0;
    this.file = await open(partPath(this.dest), resumable ? "r+" : "w+");
    this.hash = await hashFile(partPath(this.dest), this.done, { ...this.options, label: basename(this.dest) });
  }

  /** One request. Returns what went wrong, or undefined when the part is complete. */
  private async attempt(): Promise<Failure | undefined> {
    const total = this.options.sizeBytes ?? this.info.sizeBytes;
    if (total !== undefined && this.done === total) return undefined;
    let response: NetResponse | undefined;
    try {
      response = await this.net.get(this.url, {
        ...this.options,
        headers: { ...this.options.headers, ...this.range() },
      });
      const problem = await this.accept(response);
      if (problem !== undefined) return problem;
      await this.receive(response);
      return this.completeness();
    } catch (error) {
      if (isDiskError(error)) throw error;
      return explainFailure(error, this.what);
    } finally {
      response?.body.destroy();
    }
  }

  private range(): Record<string, string> {
    if (this.done === 0) return {};
    const condition: Record<string, string> =
      this.info.validator === undefined ? {} : { "if-range": this.info.validator };
    return { range: `bytes=${this.done}-`, ...condition };
  }

  /** Reads the answer's head and sets the part to where its bytes belong. */
  private async accept(response: NetResponse): Promise<Failure | undefined> {
    const { status, headers } = response;
    if (status === 416 && this.done > 0) {
      await this.restart({ from: this.what }); // the file is shorter now: another file
      return { error: statusError(this.what, status).error, transient: true };
    }
    if (status !== 200 && status !== 206) {
      const known = this.options.explainStatus?.(status);
      return known === undefined ? statusError(this.what, status) : { error: known, transient: false };
    }
    if (!["identity", undefined].includes(headers.get("content-encoding"))) {
      return { error: this.lie("must be sent as it is", headers.get("content-encoding")), transient: false };
    }
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "");
    const length = status === 206 ? range?.[2] : headers.get("content-length");
    const sizeBytes = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    const expected = this.options.sizeBytes;
    if (expected !== undefined && sizeBytes !== undefined && sizeBytes !== expected) {
      return { error: this.lie(`must have ${expected} bytes`, `${sizeBytes}`), transient: false };
    }
    if (status === 206) {
      const same = range !== null && Number(range[1]) === this.done && (this.info.sizeBytes ?? sizeBytes) === sizeBytes;
      if (!same) {
        await this.restart({ from: this.what });
        return { error: this.lie("must continue the file", headers.get("content-range")), transient: true };
      }
    } else {
      const validator = strongValidator(headers);
      await this.restart({
        from: this.what,
        ...(validator === undefined ? {} : { validator }),
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      });
    }
    if (sizeBytes !== undefined) await expectFreeSpace(dirname(this.dest), sizeBytes - this.done);
    this.meter = startMeter(this.options.onProgress, "download", basename(this.dest), expected ?? sizeBytes, this.done);
    return undefined;
  }

  private async restart(info: PartInfo): Promise<void> {
    await this.file!.truncate(0);
    this.done = 0;
    this.hash = await hashFile(partPath(this.dest), 0, { label: basename(this.dest) });
    this.info = info;
    await writePartInfo(this.dest, info);
  }

  private async receive(response: NetResponse): Promise<void> {
    const limit = this.options.sizeBytes ?? this.info.sizeBytes ?? Number.POSITIVE_INFINITY;
    for await (const chunk of response.body) {
      this.options.signal?.throwIfAborted();
      if (this.done + chunk.length > limit) throw this.lie(`must have ${limit} bytes`, "more");
      await writeAll(this.file!, chunk, this.done);
      this.hash.update(chunk);
      this.done += chunk.length;
      this.meter!.set(this.done);
    }
  }

  private completeness(): Failure | undefined {
    const total = this.options.sizeBytes ?? this.info.sizeBytes;
    if (total !== undefined && this.done < total) {
      return { error: this.lie(`must have ${total} bytes`, `${this.done}`), transient: true };
    }
    this.meter!.finish(this.done);
    return undefined;
  }

  private lie(must: string, got: string | undefined): GemmaError {
    return new GemmaError("ERR_NETWORK", `${this.what}: ${must}, got ${got ?? "nothing"}`);
  }
}

/** A write may take only a part of what it is given. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const step = await file.write(bytes, written, bytes.length - written, position + written);
    written += step.bytesWritten;
  }
}

/** If-Range takes no weak ETags: equal meaning is not equal bytes. */
function strongValidator(headers: ReadonlyMap<string, string>): string | undefined {
  const etag = headers.get("etag");
  if (etag !== undefined && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified");
}

function isDiskError(error: unknown): boolean {
  if (error instanceof GemmaError) return error.code === "ERR_DISK_FULL";
  return error instanceof Error && "syscall" in error && error.syscall === "write";
}

function abortable(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
