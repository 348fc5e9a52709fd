import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { parseJson } from "../format/json.js";
import { expectObject, getArray, getInteger, getString } from "../format/json-read.js";
import { expectFileName, expectModelName, isModelName, parseDigest } from "./names.js";
import { syncPath } from "./partial.js";
import { realpathInside } from "./real-path.js";

// The cache folder:
//   models/<name>/     a complete model and its manifest.json; appears and disappears as a whole
//   datasets/<name>/   the same for a split of a data set
//   downloads/<name>/  what a pull has so far; kept after a cut
//   locks/<name>.lock  held by the process that pulls or removes

/** The folder of the cache that a thing lies in. */
export type Shelf = "models" | "datasets";

/** Where the hash of a file comes from: who vouches for the bytes. */
export type Witness = "catalogue" | "given" | "server" | "none";

export interface PulledFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly checkedAgainst: Witness;
}

export interface Manifest {
  readonly name: string;
  readonly origin: string;
  /** ISO 8601 */
  readonly pulledAt: string;
  readonly files: readonly PulledFile[];
}

export interface CachedModel extends Manifest {
  /** The .gguf file, or the folder of a model in several files. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Every file was checked against a hash that was known before the pull. */
  readonly verified: boolean;
}

const MANIFEST = "manifest.json";
const WITNESSES: readonly string[] = ["catalogue", "given", "server", "none"] satisfies Witness[];

/** The cache folder: `GEMMA_HOME`, else `$XDG_CACHE_HOME/gemma-ts`, else `~/.cache/gemma-ts`. */
export function gemmaHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.GEMMA_HOME) return resolve(env.GEMMA_HOME);
  // The XDG specification has relative paths ignored.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, "gemma-ts");
  return join(env.HOME || homedir(), ".cache", "gemma-ts");
}

export const modelFolder = (home: string, name: string, shelf: Shelf = "models"): string =>
  join(home, shelf, expectModelName(name));
export const stagingFolder = (home: string, name: string): string => join(home, "downloads", expectModelName(name));
export const lockPath = (home: string, name: string): string => join(home, "locks", `${expectModelName(name)}.lock`);

/**
 * The complete model, or data set, of this name, or undefined when there is none, or a damaged one: an unreadable manifest, a
 * file that has lost or gained bytes. Pulling again mends those.
 * @throws ERR_PATH_ESCAPE when a link leads out of the cache, ERR_IO
 */
export async function findModel(home: string, name: string, shelf: Shelf = "models"): Promise<CachedModel | undefined> {
  const folder = modelFolder(home, name, shelf);
  const bytes = await readFile(join(folder, MANIFEST)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw fromSystemError(error, join(folder, MANIFEST));
  });
  if (bytes === undefined) return undefined;
  await realpathInside(join(home, shelf), folder);
  const manifest = parseManifest(bytes, join(folder, MANIFEST), name);
  if (manifest === undefined) return undefined;
  let sizeBytes = 0;
  for (const file of manifest.files) {
    const path = join(folder, file.name);
    const size = await stat(path)
      .then((found) => found.size)
      .catch(() => -1);
    if (size !== file.sizeBytes) return undefined;
    await realpathInside(folder, path);
    sizeBytes += size;
  }
  const single = manifest.files.length === 1 ? manifest.files[0] : undefined;
  return {
    ...manifest,
    path: single?.name.endsWith(".gguf") ? join(folder, single.name) : folder,
    sizeBytes,
    verified: manifest.files.every((file) => file.checkedAgainst !== "none"),
  };
}

function parseManifest(bytes: Uint8Array, where: string, name: string): Manifest | undefined {
  try {
    return readManifest(bytes, where, name);
  } catch {
    return undefined;
  }
}

function readManifest(bytes: Uint8Array, where: string, name: string): Manifest {
  const json = expectObject(parseJson(bytes, where), where);
  const files = getArray(json, "files", where).map((item, index): PulledFile => {
    const at = `${where}: files[${index}]`;
    const file = expectObject(item, at);
    const checkedAgainst = getString(file, "checkedAgainst", at);
    return {
      name: expectFileName(getString(file, "name", at), at),
      sizeBytes: getInteger(file, "sizeBytes", at),
      sha256: parseDigest(getString(file, "sha256", at), at),
      checkedAgainst: WITNESSES.includes(checkedAgainst) ? (checkedAgainst as Witness) : "none",
    };
  });
  if (files.length === 0) throw new GemmaError("ERR_INVALID_VALUE", `${where}: files must name a file, got none`);
  return { name, origin: getString(json, "origin", where), pulledAt: getString(json, "pulledAt", where), files };
}

/** Moves a finished download into place, whole and durable, in place of what was there. */
export async function installModel(home: string, manifest: Manifest, shelf: Shelf = "models"): Promise<void> {
  const staging = stagingFolder(home, manifest.name);
  const kept = new Set([MANIFEST, ...manifest.files.map((file) => file.name)]);
  for (const name of await readdir(staging)) {
    if (!kept.has(name)) await rm(join(staging, name), { recursive: true, force: true });
  }
  const file = await open(join(staging, MANIFEST), "w");
  await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
  await file.sync();
  await file.close();
  const folder = modelFolder(home, manifest.name, shelf);
  await mkdir(join(home, shelf), { recursive: true });
  await discard(home, folder);
  await rename(staging, folder);
  await syncPath(join(home, shelf));
}

/** All complete models, or data sets, by name. Damaged ones are left out. */
export async function listModels(home: string = gemmaHome(), shelf: Shelf = "models"): Promise<CachedModel[]> {
  const names = await readdir(join(home, shelf)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw fromSystemError(error, join(home, shelf));
  });
  const models: CachedModel[] = [];
  for (const name of names.filter(isModelName).sort()) {
    const model = await findModel(home, name, shelf).catch(() => undefined);
    if (model !== undefined) models.push(model);
  }
  return models;
}

/** Removes the folder of a model or data set and what a cut pull left of it. The caller holds the lock. */
export async function discardModel(home: string, name: string): Promise<boolean> {
  let removed = false;
  for (const folder of [modelFolder(home, name), modelFolder(home, name, "datasets"), stagingFolder(home, name)]) {
    removed = (await discard(home, folder)) || removed;
  }
  return removed;
}

/** Renames first, so that a half-removed model never answers to its name; follows no link. */
async function discard(home: string, folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) return false;
  const downloads = join(home, "downloads");
  await mkdir(downloads, { recursive: true });
  await rename(folder, join(downloads, `.trash-${randomUUID()}`));
  for (const name of await readdir(downloads)) {
    if (name.startsWith(".trash-")) await rm(join(downloads, name), { recursive: true, force: true });
  }
  return true;
}
