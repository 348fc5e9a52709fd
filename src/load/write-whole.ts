import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { expectFreeSpace, syncPath } from "./partial.js";

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each slice with the bytes so far. */
  readonly onBytes?: ((doneBytes: number) => void) | undefined;
}

/**
 * Writes a file from slices. It appears under its name when it is complete and on the disk; until then, and only while
 * this runs, it is `path`.part. A slice is written before the next one is asked for.
 *
 * @throws ERR_DISK_FULL, ERR_IO, ERR_MISSING_FILE (no such folder), the reason of `signal`, what the slices throw
 */
export async function writeWhole(
  path: string,
  slices: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  const part = `${path}.part`;
  try {
    const file = await open(part, "w");
    try {
      await writeSlices(file, slices, options);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    await syncPath(dirname(path));
  } catch (error) {
    await rm(part, { force: true }).catch(() => {}); // where no file can be opened, none is to be removed
    throw fromSystemError(error, path);
  }
}

async function writeSlices(
  file: FileHandle,
  slices: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal, onBytes }: WriteOptions,
): Promise<void> {
  let doneBytes = 0;
  signal?.throwIfAborted();
  for await (const slice of slices) {
    for (let at = 0; at < slice.length; ) at += (await file.write(slice, at)).bytesWritten;
    doneBytes += slice.length;
    onBytes?.(doneBytes);
    signal?.throwIfAborted();
  }
}

/**
 * What must hold before a large output is begun: `path` is free, or may be replaced, and its disk has the room.
 * @throws ERR_USAGE, ERR_DISK_FULL, ERR_MISSING_FILE (no folder to write in), ERR_IO
 */
export async function expectTarget(path: string, sizeBytes: number, replace: boolean): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw fromSystemError(error, path);
  });
  if (found !== null && !replace) {
    throw new GemmaError("ERR_USAGE", `${path}: must not exist yet, got a ${found.isDirectory() ? "folder" : "file"}`, {
      hint: "choose another name, or replace it with --force",
    });
  }
  try {
    await expectFreeSpace(dirname(path), sizeBytes, "free some space, or write to another disk");
  } catch (error) {
    throw fromSystemError(error, dirname(path));
  }
}
