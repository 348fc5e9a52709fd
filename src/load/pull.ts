import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import {
  type CachedModel,
  discardModel,
  findModel,
  gemmaHome,
  installModel,
  lockPath,
  modelFolder,
  stagingFolder,
} from "./cache.js";
import { CATALOGUE, type CatalogueEntry, GEMMA_TERMS } from "./catalogue.js";
import { withLock } from "./lock.js";
import { createNet, type Net } from "./net.js";
import { hashFile } from "./partial.js";
import { type OnProgress, startMeter } from "./progress.js";
import { fetchSource } from "./sources/index.js";
import { resolvePath } from "./sources/path.js";
import type { Fetched, SourceContext } from "./sources/source.js";
import { describeSpec, SPEC_FORMS } from "./spec.js";
import { cacheName, locate, type Target } from "./target.js";

export interface PullOptions {
  /** The cache folder. Default: gemmaHome(env). */
  readonly home?: string;
  /** Use what is in the cache only. Default: GEMMA_OFFLINE or HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Lines for people: the licence, a wait, a source that failed. */
  readonly onNotice?: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/** For tests: another network and catalogue, and shorter pauses. */
export interface PullSeams {
  readonly net?: (env: NodeJS.ProcessEnv) => Net;
  readonly catalogue?: readonly CatalogueEntry[];
  readonly retryDelayMs?: number;
}

export interface ResolvedModel {
  /** A .gguf file or a model folder. */
  readonly path: string;
  readonly name: string;
  readonly origin: string;
}

/**
 * The path of a model that is given as a name, a source or a path; pulled into the cache when it is not there.
 *
 * @throws ERR_UNKNOWN_MODEL, ERR_USAGE for a malformed source, ERR_OFFLINE, and what the sources throw; the
 *   reason of an aborted signal
 */
export async function resolveModel(
  text: string,
  options: PullOptions = {},
  seams: PullSeams = {},
): Promise<ResolvedModel> {
  return obtain(text, options, seams, findModel);
}

/**
 * Like resolveModel, but a model that is in the cache already is checked against its hashes, and pulled anew
 * when a byte has changed.
 */
export async function pull(text: string, options: PullOptions = {}, seams: PullSeams = {}): Promise<ResolvedModel> {
  return obtain(text, options, seams, async (home, name) => {
    const model = await findModel(home, name);
    return model !== undefined && (await isIntact(model, home, options)) ? model : undefined;
  });
}

/**
 * Removes a model, given as a name or as the source it came from, and what a cut pull left of it.
 * @throws ERR_UNKNOWN_MODEL when there is nothing of that name
 */
export async function removeModel(text: string, home: string = gemmaHome()): Promise<void> {
  const name = cacheName(text);
  const removed = await inHome(home, name, {}, () => discardModel(home, name));
  if (!removed) throw new GemmaError("ERR_UNKNOWN_MODEL", `${text}: must be a model in the cache, got none (${home})`);
}

async function obtain(
  text: string,
  options: PullOptions,
  seams: PullSeams,
  find: (home: string, name: string) => Promise<CachedModel | undefined>,
): Promise<ResolvedModel> {
  const env = options.env ?? process.env;
  const home = options.home ?? gemmaHome(env);
  const target = await locate(text, home, seams.catalogue ?? CATALOGUE);
  if (target.kind === "path") return resolvePath(target.path);
  const cached = await find(home, target.name);
  if (cached !== undefined) return resolved(cached);
  if (options.offline ?? (isOn(env.GEMMA_OFFLINE) || isOn(env.HF_HUB_OFFLINE))) throw offlineError(target);

  return inHome(home, target.name, options, async (signal) => {
    const other = await find(home, target.name); // pulled while this process waited
    if (other !== undefined) return resolved(other);
    options.onNotice?.(GEMMA_TERMS);
    const net = (seams.net ?? ((environment) => createNet({ env: environment })))(env);
    try {
      const folder = stagingFolder(home, target.name);
      await mkdir(folder, { recursive: true });
      const pause = seams.retryDelayMs === undefined ? {} : { retryDelayMs: seams.retryDelayMs };
      const context = { folder, net, env, signal, onProgress: options.onProgress, ...pause };
      const fetched = await fetchFromFirst(target, context, options.onNotice);
      const pulledAt = new Date().toISOString();
      await installModel(home, { name: target.name, origin: fetched.origin, pulledAt, files: fetched.files });
    } finally {
      await net.close();
    }
    const model = await findModel(home, target.name);
    if (model === undefined)
      throw new GemmaError("ERR_IO", `${modelFolder(home, target.name)}: must hold the model, got other files`);
    return resolved(model);
  });
}

/** Runs `work` as the only process that changes this model; errors of the cache folder become readable. */
async function inHome<T>(
  home: string,
  name: string,
  options: PullOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const path = lockPath(home, name);
  try {
    await mkdir(dirname(path), { recursive: true });
    const onWait = () => {
      options.onNotice?.(`waiting for another download of ${name}`);
      startMeter(options.onProgress, "wait", name, undefined).finish(0);
    };
    return await withLock(path, { signal: options.signal, onWait }, work);
  } catch (error) {
    options.signal?.throwIfAborted();
    const where = (error as NodeJS.ErrnoException).path ?? home;
    throw fromSystemError(error, `cache folder: ${where}`);
  }
}

/** The first source that gives the model. An abort, or a full disk, is not the source's fault and ends it all. */
async function fetchFromFirst(
  target: Extract<Target, { kind: "model" }>,
  context: SourceContext,
  onNotice: PullOptions["onNotice"],
): Promise<Fetched> {
  const problems: GemmaError[] = [];
  for (const source of target.sources) {
    try {
      return await fetchSource(source, target.expected, context);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof GemmaError) || error.code === "ERR_DISK_FULL" || error.code === "ERR_IO") throw error;
      problems.push(error);
      if (target.sources.length > problems.length) onNotice?.(`${error.message}; trying another source`);
    }
  }
  throw noSourceError(target, problems);
}

function noSourceError(target: Extract<Target, { kind: "model" }>, problems: readonly GemmaError[]): GemmaError {
  const first = problems[0];
  if (first === undefined) {
    const message = `${target.name}: must be whole in the cache, got changed files, and no source is known`;
    return new GemmaError("ERR_UNKNOWN_MODEL", message, { hint: "pull it again from where it came" });
  }
  const hints = [...problems.flatMap((problem) => problem.hint ?? []), WAYS];
  const message =
    problems.length === 1
      ? first.message
      : `${target.name}: one of its sources must be reachable, got: ${problems.map((problem) => problem.message).join("; ")}`;
  return new GemmaError(first.code, message, { hint: hints.join("\n"), cause: first });
}

const WAYS = `every way to get weights: gemma pull ${SPEC_FORMS.slice(0, -1).join(", or gemma pull ")}; or give ${SPEC_FORMS.at(-1)}`;

function offlineError(target: Extract<Target, { kind: "model" }>): GemmaError {
  const bytes = target.expected.downloadBytes;
  const size = bytes === undefined ? "" : ` (${(bytes / 1e6).toFixed(0)} MB)`;
  return new GemmaError(
    "ERR_OFFLINE",
    `${target.name}: must be in the cache while offline mode is on, got nothing there; needed: ${target.sources.map(describeSpec).join(" or ")}${size}`,
    { hint: `unset GEMMA_OFFLINE and HF_HUB_OFFLINE, or give ${SPEC_FORMS.at(-1)}` },
  );
}

async function isIntact(model: CachedModel, home: string, options: PullOptions): Promise<boolean> {
  for (const file of model.files) {
    const path = `${modelFolder(home, model.name)}/${file.name}`;
    const { size } = await stat(path);
    const hash = await hashFile(path, size, { ...options, label: file.name });
    if (hash.digest("hex") !== file.sha256) return false;
  }
  return true;
}

function resolved(model: CachedModel): ResolvedModel {
  return { path: model.path, name: model.name, origin: model.origin };
}

function isOn(value: string | undefined): boolean {
  return /^(1|true|yes|on)$/i.test(value ?? "");
}
