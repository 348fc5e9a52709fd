import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { parseJson } from "../format/json.js";
import { expectObject, getInteger, getString } from "../format/json-read.js";
import { type OnProgress, startMeter } from "./progress.js";

// A file on its way: `<dest>.part` holds its bytes so far, `<dest>.part.json` says of which version of the file.
// When it has arrived, `<dest>.done.json` holds its hash until the whole model is there.

/** What the server said about the file when the part was begun; a resumed request must meet the same version. */
export interface PartInfo {
  /** Origin and path, or another name of the content. */
  readonly from: string;
  /** A strong ETag or a Last-Modified date, for If-Range. */
  readonly validator?: string;
  readonly sizeBytes?: number;
}

export const partPath = (dest: string): string => `${dest}.part`;
const infoPath = (dest: string): string => `${dest}.part.json`;
const donePath = (dest: string): string => `${dest}.done.json`;

/** Size of the part, or 0 when there is none. */
export async function partSize(dest: string): Promise<number> {
  const found = await stat(partPath(dest)).catch(() => undefined);
  return found?.isFile() ? found.size : 0;
}

/** What is known about the part. A part without a readable note is of no use and gives undefined. */
export async function readPartInfo(dest: string): Promise<PartInfo | undefined> {
  try {
    const json = expectObject(parseJson(await readFile(infoPath(dest)), infoPath(dest)), infoPath(dest));
    const from = json.get("from");
    const validator = json.get("validator");
    const sizeBytes = json.get("sizeBytes");
    if (typeof from !== "string") return undefined;
    return {
      from,
      ...(typeof validator === "string" ? { validator } : {}),
      ...(typeof sizeBytes === "number" ? { sizeBytes } : {}),
    };
  } catch {
    return undefined;
  }
}

export async function writePartInfo(dest: string, info: PartInfo): Promise<void> {
  await writeFile(infoPath(dest), JSON.stringify(info));
}

export async function removePart(dest: string): Promise<void> {
  await rm(partPath(dest), { force: true });
  await rm(infoPath(dest), { force: true });
}

/**
 * Makes the complete part the file itself: checked against `sha256`, on the disk for good, then renamed.
 * @throws ERR_CHECKSUM; the part is removed then, since no resume can mend it
 */
export async function commitPart(
  dest: string,
  actual: string,
  sha256: string | undefined,
  what: string,
): Promise<void> {
  if (sha256 !== undefined && actual !== sha256) {
    await removePart(dest);
    throw new GemmaError("ERR_CHECKSUM", `${what}: must have SHA-256 ${sha256}, got ${actual}`, {
      hint: "the download was removed; try again, and if it happens again the source holds another file",
    });
  }
  await syncPath(partPath(dest));
  await rename(partPath(dest), dest);
  await rm(infoPath(dest), { force: true });
  await syncPath(dirname(dest));
}

export interface ArrivedFile {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Remembers that `dest` has come from `from`, complete and checked. */
export async function noteArrival(dest: string, from: string, file: ArrivedFile): Promise<void> {
  await writeFile(donePath(dest), JSON.stringify({ from, ...file }));
}

/** What an earlier, cut pull completed from the same place, if it is still there. */
export async function findArrival(dest: string, from: string): Promise<ArrivedFile | undefined> {
  try {
    const json = expectObject(parseJson(await readFile(donePath(dest)), donePath(dest)), donePath(dest));
    const sizeBytes = getInteger(json, "sizeBytes", donePath(dest));
    const sha256 = getString(json, "sha256", donePath(dest));
    return json.get("from") === from && (await stat(dest)).size === sizeBytes ? { sizeBytes, sha256 } : undefined;
  } catch {
    return undefined;
  }
}

/** fsync of a file or folder: a rename alone may reach the disk before the bytes do. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => undefined); // Windows opens no folders
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw fromSystemError(error, path);
  } finally {
    await handle.close();
  }
}

/** A hash over the first `length` bytes of a file, fed in a stream. */
export async function hashFile(
  path: string,
  length: number,
  options: {
    readonly onProgress?: OnProgress | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly label: string;
  },
): Promise<Hash> {
  const hash = createHash("sha256");
  if (length === 0) return hash;
  const meter = startMeter(options.onProgress, "verify", options.label, length);
  let done = 0;
  for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 1 << 20 })) {
    options.signal?.throwIfAborted();
    hash.update(chunk as Uint8Array);
    done += (chunk as Uint8Array).length;
    meter.set(done);
  }
  meter.finish(done);
  return hash;
}

/** @throws ERR_DISK_FULL when `folder`'s disk has less than `neededBytes` left */
export async function expectFreeSpace(
  folder: string,
  neededBytes: number,
  hint = "free some space, or set GEMMA_HOME to a folder on another disk",
): Promise<void> {
  const disk = await statfs(folder);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes >= neededBytes) return;
  throw new GemmaError("ERR_DISK_FULL", `${folder}: must have ${mib(neededBytes)} free, got ${mib(freeBytes)}`, {
    hint,
  });
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
