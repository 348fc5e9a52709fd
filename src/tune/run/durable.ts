import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

// Files that a killed process, or a machine that lost its power, leaves whole or not at all.

/** A folder of this name is half made, or half removed: nobody reads it, and opening a run removes it. */
const UNFINISHED = ".part-";

export function isUnfinished(name: string): boolean {
  return name.startsWith(UNFINISHED);
}

/** Writes a file in slices and has it on the disk when this returns; the slices are told to `watch`. */
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

/** Puts a whole file in the place of an older one, or of none, in one step. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const part = join(dirname(path), `${UNFINISHED}${path.slice(dirname(path).length + 1)}`);
  try {
    await writeSlices(part, [typeof content === "string" ? Buffer.from(content) : content]);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** The same for a folder, which `fill` fills. What fails leaves nothing. */
export async function replaceFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const part = join(dirname(path), `${UNFINISHED}${path.slice(dirname(path).length + 1)}`);
  rmSync(part, { recursive: true, force: true });
  try {
    mkdirSync(part);
    await fill(part);
    syncFolder(part);
    removeFolder(path);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Nobody sees it half removed. */
export function removeFolder(path: string): void {
  const gone = join(dirname(path), `${UNFINISHED}old-${path.slice(dirname(path).length + 1)}`);
  rmSync(gone, { recursive: true, force: true });
  try {
    renameSync(path, gone);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  rmSync(gone, { recursive: true, force: true });
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
