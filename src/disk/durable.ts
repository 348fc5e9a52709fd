import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromSystemError } from "../base/errors.js";

// Files that a killed process, or a machine that lost its power, leaves whole or not at all: they are written beside their
// place, synced, and renamed.

/** A name that begins so is half made, or half removed: nobody reads it, and who begins anew may remove it. */
const UNFINISHED = ".part-";

export function isUnfinished(name: string): boolean {
  return name.startsWith(UNFINISHED);
}

/**
 * Writes a file in slices and has it on the disk when this returns; the slices are told to `watch`. For `fill` of
 * replaceFolder, which tells of errors by the folder's own name: here they are the system's.
 */
export async function writeSlices(
  path: string,
  slices: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  watch: (slice: Uint8Array) => void = () => {},
): Promise<void> {
  const file = openSync(path, "w");
  try {
    for await (const slice of slices) {
      for (let done = 0; done < slice.length; ) done += writeSync(file, slice, done);
      watch(slice);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Puts a whole file in the place of an older one, or of none, in one step. @throws ERR_DISK_FULL, ERR_IO */
export async function replaceFile(path: string, text: string): Promise<void> {
  const part = beside(path);
  try {
    await writeSlices(part, [Buffer.from(text)]);
    renameSync(part, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(part, { force: true });
    throw fromSystemError(error, path);
  }
}

/** The same for a value as JSON. */
export async function replaceJson(path: string, value: unknown): Promise<void> {
  return replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** The same for a folder, which `fill` fills. What fails leaves the older one. @throws ERR_DISK_FULL, ERR_IO, what `fill` throws */
export async function replaceFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const part = beside(path);
  try {
    rmSync(part, { recursive: true, force: true }); // of a process that was killed
    mkdirSync(part);
    await fill(part);
    syncFolder(part);
    const old = setAside(path); // no system call exchanges two folders from here
    try {
      renameSync(part, path);
    } catch (error) {
      if (old !== null) renameSync(old, path);
      throw error;
    }
    syncFolder(dirname(path));
    if (old !== null) rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw fromSystemError(error, path);
  }
}

/** Nobody sees it half removed. @throws ERR_IO */
export function removeFolder(path: string): void {
  try {
    const old = setAside(path);
    if (old !== null) rmSync(old, { recursive: true, force: true });
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

/** Takes a folder out of its place. @returns where it is now; null: there was none */
function setAside(path: string): string | null {
  const old = beside(path, "old-");
  rmSync(old, { recursive: true, force: true });
  try {
    renameSync(path, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  return old;
}

function beside(path: string, mark = ""): string {
  return join(dirname(path), `${UNFINISHED}${mark}${basename(path)}`);
}

/** Makes the names in a folder last. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return; // has no such call
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
