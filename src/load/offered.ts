import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { TEMPLATE_FILE } from "../tokenizer/gemma-template.js";
import { listModels } from "./cache.js";
import { findEntry } from "./catalogue.js";
import { hashFile } from "./partial.js";
import { SHIPPED_MODELS } from "./shipped.js";
import { TUNED_MODELS } from "./tuned.js";

// What this machine can offer to pages: see docs/browser.md for the folder that it becomes.

export interface OfferedFile {
  readonly name: string;
  /** On this machine. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface OfferedFiles {
  readonly name: string;
  readonly label: string;
  /** The model of the same list that this is an adapter on. */
  readonly base?: string;
  readonly files: readonly OfferedFile[];
}

/** What an adapter is, and how it is asked and answers. */
const ADAPTER_FILES = [
  "adapter_config.json",
  "adapter_model.safetensors",
  TEMPLATE_FILE,
  "generation_config.json",
] as const;

/** Hashes of the package's own files, which do not change while it runs. */
const hashes = new Map<string, Promise<OfferedFile>>();

/** Models of the catalogue that are whole in the cache, the package's adapters on them, and its own models. */
export async function offeredFiles(home: string): Promise<readonly OfferedFiles[]> {
  const cached = (await listModels(home)).flatMap((model): OfferedFiles[] => {
    const entry = findEntry(model.name);
    if (entry?.name !== model.name) return [];
    const folder = model.path.endsWith(".gguf") ? join(model.path, "..") : model.path;
    const files = model.files.map(({ name, sizeBytes, sha256 }) => {
      return { name, path: join(folder, name), sizeBytes, sha256 };
    });
    return [{ name: model.name, label: entry.label, files }];
  });
  const tuned = TUNED_MODELS.filter(({ base }) => cached.some(({ name }) => name === base));
  const adapters = tuned.map(async ({ name, label, base, adapter }): Promise<OfferedFiles> => {
    const there = ADAPTER_FILES.filter((file) => existsSync(join(adapter, file)));
    const files = there.map((file) => ownFile(join(adapter, file), file));
    return { name, label, base, files: await Promise.all(files) };
  });
  return [...cached, ...(await Promise.all(adapters)), ...(await shippedFiles())];
}

/** What can be offered wherever the package is. */
export async function shippedFiles(): Promise<readonly OfferedFiles[]> {
  return Promise.all(
    SHIPPED_MODELS.map(async ({ name, label, path }) => ({
      name,
      label,
      files: [await ownFile(path, basename(path))],
    })),
  );
}

function ownFile(path: string, name: string): Promise<OfferedFile> {
  let file = hashes.get(path);
  if (file === undefined) {
    file = describe(path, name);
    hashes.set(path, file);
    file.catch(() => hashes.delete(path));
  }
  return file;
}

async function describe(path: string, name: string): Promise<OfferedFile> {
  const { size } = await stat(path);
  const hash = await hashFile(path, size, { label: name });
  return { name, path, sizeBytes: size, sha256: hash.digest("hex") };
}
