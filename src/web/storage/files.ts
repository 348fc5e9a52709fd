import { GemmaError } from "../../base/errors.js";
import { Sha256 } from "../../base/sha256.js";
import { isModelName } from "../../load/names.js";

// Where the models of a site lie in its origin private file system:
//   gemma-ts/models/<folder>/manifest.json   written last: without it the model is not whole
//   gemma-ts/models/<folder>/<file>
//   gemma-ts/models/<folder>/<file>.part     of which version of the file its bytes are
// A folder is called by its model's name, or by a hash of it where that is an address.

const ROOT = ["gemma-ts", "models"] as const;

/** What of the private file system is used, and lib.dom leaves out: a worker's own file, read and written at once. */
export interface SyncFile {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

type SyncHandle = FileSystemFileHandle & {
  createSyncAccessHandle?(options?: { mode: "read-only" | "readwrite" }): Promise<SyncFile>;
};

/** The folder of all models; null where the browser has no private file system, or keeps it from this page. */
export async function modelsFolder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    let folder = await navigator.storage.getDirectory();
    for (const name of ROOT) folder = await folder.getDirectoryHandle(name, { create: true });
    return folder;
  } catch {
    return null; // no such API, no secure context, or a private window
  }
}

/** The folder of a model; undefined: there is none. */
export async function modelFolder(
  root: FileSystemDirectoryHandle,
  name: string,
  options: { readonly create?: boolean } = {},
): Promise<FileSystemDirectoryHandle | undefined> {
  return orMissing(root.getDirectoryHandle(folderName(name), options));
}

export function folderName(name: string): string {
  if (isModelName(name)) return name;
  return `at-${new Sha256().update(new TextEncoder().encode(name)).hex().slice(0, 40)}`;
}

/** The file of that name; undefined: there is none. */
export async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  const handle = await orMissing(folder.getFileHandle(name));
  return handle?.getFile();
}

export async function readJson(folder: FileSystemDirectoryHandle, name: string): Promise<unknown> {
  try {
    const text = await (await fileIn(folder, name))?.text();
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // half written, or evicted while it was read
  }
}

/** A file to be read and written at any place, by this worker alone. @throws ERR_IO where another tab has it */
export async function openSync(folder: FileSystemDirectoryHandle, name: string): Promise<SyncFile> {
  const handle: SyncHandle = await folder.getFileHandle(name, { create: true });
  if (!handle.createSyncAccessHandle) {
    throw new GemmaError("ERR_IO", `${name}: must be written from a worker, got a browser that does not offer it`);
  }
  try {
    return await handle.createSyncAccessHandle();
  } catch (cause) {
    throw new GemmaError("ERR_IO", `${name}: must be this tab's while it is written, got it in use`, {
      cause,
      hint: "close other tabs of this site that are loading the model, and try again",
    });
  }
}

/**
 * Takes room for `bytes` and gives it back: what a browser says of its quota may be more than it gives.
 * @throws QuotaExceededError
 */
export async function tryRoom(folder: FileSystemDirectoryHandle, bytes: number): Promise<void> {
  const name = "room";
  const file = await openSync(folder, name);
  try {
    if (bytes > 0) file.write(new Uint8Array(1), { at: bytes - 1 });
  } finally {
    file.close();
    await removeIn(folder, name);
  }
}

/** A file to be read while others may read it, too; null where the browser lets only one have it. */
export async function openSyncReader(folder: FileSystemDirectoryHandle, name: string): Promise<SyncFile | null> {
  const handle: SyncHandle | undefined = await orMissing(folder.getFileHandle(name));
  let isKnown = false;
  const options = {
    get mode() {
      isKnown = true; // a browser that does not know the mode does not look at it
      return "read-only" as const;
    },
  };
  const file = await handle?.createSyncAccessHandle?.(options).catch(() => null);
  if (file && isKnown) return file;
  file?.close(); // it would keep other tabs out
  return null;
}

export async function writeJson(folder: FileSystemDirectoryHandle, name: string, value: unknown): Promise<void> {
  const file = await openSync(folder, name);
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    file.truncate(0);
    file.write(bytes, { at: 0 });
    file.flush();
  } finally {
    file.close();
  }
}

export async function removeIn(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  const removed = await orMissing(folder.removeEntry(name, { recursive: true }).then(() => true));
  return removed ?? false;
}

async function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
    throw error;
  }
}
