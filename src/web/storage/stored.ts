import { fileIn, folderName, modelFolder, modelsFolder, readJson, removeIn } from "./files.js";

export const MANIFEST = "manifest.json";

export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** What its bytes were checked against; absent where nobody had said what they must be. */
  readonly sha256?: string;
}

/** What was stored of a model; written once every file is there. */
export interface WebManifest {
  readonly name: string;
  /** Address, or the name of the user's own file. */
  readonly origin: string;
  /** ISO 8601. */
  readonly storedAt: string;
  readonly files: readonly StoredFile[];
  /** The name of the model that this is an adapter on. */
  readonly base?: string;
}

/** What lies in the folder while files are on their way. */
export const UNDER_WAY = "under-way.json";

/** A model that this site has stored, or a part of one. */
export interface StoredModel {
  /** What Gemma.load takes. */
  readonly name: string;
  /** Of its files when all are there; of those known so far for a part. */
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly isComplete: boolean;
  readonly origin: string;
  /** ISO 8601; of a part, when it was begun. */
  readonly storedAt: string;
}

/** The manifest of a model of which every file is there with its size; undefined: none, cut, or evicted. */
export async function findStored(
  root: FileSystemDirectoryHandle,
  name: string,
): Promise<{ readonly manifest: WebManifest; readonly folder: FileSystemDirectoryHandle } | undefined> {
  const folder = await modelFolder(root, name);
  if (folder === undefined) return undefined;
  const manifest = asManifest(await readJson(folder, MANIFEST));
  if (manifest === undefined) return undefined;
  for (const { name: file, sizeBytes } of manifest.files) {
    if ((await fileIn(folder, file))?.size !== sizeBytes) return undefined;
  }
  return { manifest, folder };
}

/** What this site has stored, by name: whole models, and parts that a load goes on with. */
export async function listStoredModels(): Promise<readonly StoredModel[]> {
  const root = await modelsFolder();
  if (root === null) return [];
  const models: StoredModel[] = [];
  for await (const folder of root.values()) {
    if (folder.kind !== "directory") continue;
    const manifest = asManifest((await readJson(folder, MANIFEST)) ?? (await readJson(folder, UNDER_WAY)));
    if (manifest === undefined) continue; // just begun
    const sizes = await Promise.all(manifest.files.map(async ({ name }) => (await fileIn(folder, name))?.size ?? 0));
    const storedBytes = sizes.reduce((sum, size) => sum + size, 0);
    const { name, origin, storedAt } = manifest;
    models.push({
      ...{ name, origin, storedAt, storedBytes },
      sizeBytes: manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0),
      isComplete: (await findStored(root, name)) !== undefined,
    });
  }
  return models.sort((a, b) => a.name.localeCompare(b.name));
}

/** Removes a stored model, or a part of one. A tab that uses it goes on: its weights are in memory. */
export async function removeStoredModel(name: string): Promise<boolean> {
  const root = await modelsFolder();
  if (root === null || !(await modelFolder(root, name))) return false;
  return removeIn(root, folderName(name));
}

/** Written by this package, but users and extensions may have changed it. */
function asManifest(value: unknown): WebManifest | undefined {
  const { name, origin, storedAt, files, base } = (value ?? {}) as Partial<Record<keyof WebManifest, unknown>>;
  const isSound =
    [name, origin, storedAt].every((field) => typeof field === "string") &&
    Array.isArray(files) &&
    files.length > 0 &&
    files.every((file) => typeof file?.name === "string" && Number.isSafeInteger(file.sizeBytes)) &&
    ["string", "undefined"].includes(typeof base);
  return isSound ? (value as WebManifest) : undefined;
}
