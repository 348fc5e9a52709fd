import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import { gemmaHome } from "../../load/cache.js";
import { withLock } from "../../load/lock.js";
import { makeFolder } from "../../load/make-folder.js";
import { syncPath } from "../../load/partial.js";
import { formatKeysFile, type KeySettings, makeKey, parseKeysFile, type StoredKey } from "./keys.js";

/** Where keys are kept unless another file is named: `server-keys.json` in the cache folder. */
export function defaultKeysFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(gemmaHome(env), "server-keys.json");
}

/** The keys of a file; none where there is no file. @throws GemmaError for what is no keys file */
export async function listKeys(path: string): Promise<readonly StoredKey[]> {
  return (await readKeys(path)) ?? [];
}

/** The same, or undefined where there is no file. */
export async function readKeys(path: string): Promise<readonly StoredKey[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fromSystemError(error, path);
  }
  return parseKeysFile(text, path);
}

/** Adds a key and returns it with its text, which nobody can read again. @throws ERR_INVALID_VALUE, ERR_IO, ERR_DISK_FULL */
export async function addKey(
  path: string,
  name: string,
  settings: KeySettings = {},
): Promise<{ text: string; stored: StoredKey }> {
  const made = makeKey(name, settings);
  await change(path, (keys) => [...keys, made.stored]);
  return made;
}

/** Removes the key of this id. @throws ERR_INVALID_VALUE when there is none */
export async function removeKey(path: string, id: string): Promise<StoredKey> {
  let removed: StoredKey | undefined;
  await change(path, (keys) => {
    removed = keys.find((key) => key.id === id);
    if (removed !== undefined) return keys.filter((key) => key !== removed);
    throw new GemmaError("ERR_INVALID_VALUE", `${path}: id must be that of a key, got ${JSON.stringify(id)}`, {
      hint: "gemma serve keys list shows the ids",
    });
  });
  return removed!;
}

/** Readers see the old file or the new one, never a part; writers wait for each other. */
async function change(path: string, edit: (keys: readonly StoredKey[]) => readonly StoredKey[]): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await withLock(`${path}.lock`, {}, async () => {
      const text = formatKeysFile(edit(await listKeys(path)));
      parseKeysFile(text, path); // one key too many must not make a file that no server reads
      await replaceFile(path, text);
    });
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.new`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncPath(dirname(path));
}
