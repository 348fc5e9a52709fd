import { defined } from "../base/defined.js";
import { parseGgufFront } from "../format/gguf-front.js";
import type { GemmaConfig } from "../model/config.js";
import { parseGgufConfig } from "../model/config-gguf.js";
import { parseHfConfig } from "../model/config-hf.js";
import type { MemoryEstimate } from "../model/memory.js";
import { engineOptions, neededMemoryOf } from "../runtime/memory-plan.js";
import type { LoadSettings } from "../runtime/protocol.js";
import { type ModelSource, wireSource } from "./model-source.js";
import { findOffered, modelsUrl, type OfferedModel, type OfferOptions, offeredModels } from "./offer.js";
import { baseUrl, sourceOf } from "./source.js";
import { fetchPart } from "./storage/fetch-part.js";
import { fileIn, modelFolder, modelsFolder } from "./storage/files.js";
import { mb, type StorageState, storageState } from "./storage/quota.js";
import { findStored } from "./storage/stored.js";

export interface PlanOptions
  extends OfferOptions,
    Pick<LoadSettings, "contextLength" | "kv" | "activations" | "maxSequences" | "prefixCacheBytes"> {}

/** What loading a model would cost. */
export interface ModelPlan {
  /** What it is, or would be, stored under. */
  readonly name: string;
  /** Of its files; null: nobody knows. */
  readonly sizeBytes: number | null;
  /** Still to be downloaded: 0 for a stored model or a user's file; null: nobody knows. */
  readonly downloadBytes: number | null;
  readonly isStored: boolean;
  /** What running it takes, with one conversation of full length; null: the front of the file does not tell. */
  readonly memory: MemoryEstimate | null;
  /** null: the browser does not tell. */
  readonly storage: StorageState | null;
  /** What speaks against it, a line each. */
  readonly problems: readonly string[];
}

/** What a page has to know of a model's files. */
interface Files {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly downloadBytes: number | null;
  readonly isStored: boolean;
  readonly config: GemmaConfig | null;
}

/** The configuration stands in front of the vocabulary. */
const FRONT_BYTES = 256 << 10;
const MAX_BYTES = 4 * 2 ** 30;

/**
 * What loading a model would cost, before anything large is fetched: at most the list of models and 256 KB of the file.
 * @throws ERR_UNKNOWN_MODEL, ERR_MISSING_FILE, ERR_NETWORK; ERR_RANGE for options that no engine has
 */
export async function planModel(source: ModelSource, options: PlanOptions = {}): Promise<ModelPlan> {
  const files = typeof source === "string" ? await textFiles(source, options) : await givenFiles(source);
  const { config, ...known } = files;
  const memory =
    config && files.sizeBytes !== null ? neededMemoryOf(config, files.sizeBytes, engineOptions(options, config)) : null;
  const storage = await storageState();
  return { ...known, memory, storage, problems: await problemsOf(known, memory, storage) };
}

async function problemsOf(
  { downloadBytes }: Omit<Files, "config">,
  memory: MemoryEstimate | null,
  storage: StorageState | null,
): Promise<string[]> {
  const problems: string[] = [];
  if (downloadBytes !== 0 && (await modelsFolder()) === null) {
    problems.push("this browser stores no files for this page: the model is fetched again at each visit");
  } else if (downloadBytes !== null && storage !== null && downloadBytes > storage.freeBytes) {
    problems.push(
      `needs ${mb(downloadBytes)} of this site's storage, ${mb(storage.freeBytes)} are left: remove stored models or free space on the device`,
    );
  }
  const { deviceMemory } = navigator as { deviceMemory?: number }; // in GB, rounded, 8 at most
  if (memory && memory.totalBytes > MAX_BYTES) {
    problems.push(`needs about ${mb(memory.totalBytes)} of memory, a page can have ${mb(MAX_BYTES)}`);
  } else if (memory && deviceMemory !== undefined && deviceMemory < 8 && memory.totalBytes > deviceMemory * 5e8) {
    problems.push(`needs about ${mb(memory.totalBytes)} of memory, this device has about ${deviceMemory} GB in all`);
  }
  return problems;
}

async function givenFiles(source: Exclude<ModelSource, string>): Promise<Files> {
  const { model, files = [] } = wireSource(source);
  const sizeBytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
  const config = await configOf(files.map(({ name, blob }) => ({ name, front: () => frontOf(blob) })));
  return { name: model, sizeBytes, downloadBytes: 0, isStored: false, config };
}

async function textFiles(text: string, options: PlanOptions): Promise<Files> {
  const source = sourceOf(text, baseUrl());
  const root = await modelsFolder();
  const stored = root && (await findStored(root, source.name));
  if (stored) {
    const { folder, manifest } = stored;
    const sizeBytes = sizeOf(manifest.files);
    const inFolder = (name: string) => async () => frontOf((await fileIn(folder, name))!);
    const config = await configOf(manifest.files.map(({ name }) => ({ name, front: inFolder(name) })));
    if (manifest.base === undefined) return { name: source.name, sizeBytes, downloadBytes: 0, isStored: true, config };
    return together(
      source.name,
      { sizeBytes, downloadBytes: 0, isStored: true },
      await textFiles(manifest.base, options),
    );
  }
  if (source.url !== undefined) return remoteFiles(source.name, source.url, options);
  const models = modelsUrl(options.models);
  const offered = findOffered(text, await offeredModels(options), models.href);
  return offeredFiles(offered, models, options);
}

async function offeredFiles({ name, files, sizeBytes, base }: OfferedModel, models: URL, options: PlanOptions) {
  const downloadBytes = sizeBytes - (await storedBytes(name));
  if (base !== undefined) {
    return together(name, { sizeBytes, downloadBytes, isStored: false }, await textFiles(base, options));
  }
  const folder = new URL(`${name}/`, models);
  const fetched = files.map((file) => ({
    name: file.name,
    front: async () => (await fetchFront(new URL(file.name, folder), options)).bytes,
  }));
  return { name, sizeBytes, downloadBytes, isStored: false, config: await configOf(fetched) };
}

async function remoteFiles(name: string, url: URL, options: PlanOptions): Promise<Files> {
  const { bytes, sizeBytes } = await fetchFront(url, options);
  const config = await configOf([{ name, front: async () => bytes }]);
  const downloadBytes = sizeBytes === null ? null : Math.max(0, sizeBytes - (await storedBytes(name)));
  return { name, sizeBytes, downloadBytes, isStored: false, config };
}

/** An adapter and the model that it is on. */
function together(name: string, own: Omit<Files, "name" | "config">, base: Files): Files {
  const sum = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b);
  return {
    name,
    sizeBytes: sum(own.sizeBytes, base.sizeBytes),
    downloadBytes: sum(own.downloadBytes, base.downloadBytes),
    isStored: own.isStored && base.isStored,
    config: base.config,
  };
}

/** What an earlier visit has fetched of a model that is not whole. */
async function storedBytes(name: string): Promise<number> {
  const root = await modelsFolder();
  const folder = root && (await modelFolder(root, name));
  if (!folder) return 0;
  let bytes = 0;
  for await (const entry of folder.values()) {
    if (entry.kind === "file" && !/\.(part|json)$/.test(entry.name)) bytes += (await entry.getFile()).size;
  }
  return bytes;
}

async function configOf(
  files: readonly { readonly name: string; readonly front: () => Promise<Uint8Array> }[],
): Promise<GemmaConfig | null> {
  const settings = files.find(({ name }) => name === "config.json");
  const only = files.length === 1 ? files[0]! : undefined;
  try {
    if (settings) return parseHfConfig(await settings.front(), settings.name).config;
    if (!only) return null;
    const { metadata, tokens } = parseGgufFront(only.name, await only.front());
    const size = tokens === null ? [] : [[`${metadata.get("general.architecture")}.vocab_size`, tokens] as const];
    return parseGgufConfig(new Map([...size, ...metadata]), only.name);
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    return null; // loading it will tell
  }
}

async function frontOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.slice(0, FRONT_BYTES).arrayBuffer());
}

async function fetchFront(url: URL, { headers, signal }: PlanOptions) {
  return fetchPart(url, FRONT_BYTES, defined({ headers, signal }));
}

const sizeOf = (files: readonly { readonly sizeBytes: number }[]) =>
  files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
