import { GemmaError } from "../base/errors.js";
import { type CachedModel, discardModel, findModel, gemmaHome, modelFolder } from "./cache.js";
import { CATALOGUE, GEMMA_TERMS } from "./catalogue.js";
import { datasetName, isDatasetSpec, parseDatasetSpec } from "./dataset-spec.js";
import { inHome, isIntact, isOffline } from "./in-home.js";
import type { PullOptions, PullSeams } from "./pull-options.js";
import { findShipped, SHIPPED_ORIGIN } from "./shipped.js";
import { resolvePath } from "./sources/path.js";
import { describeSpec, SPEC_FORMS } from "./spec.js";
import { cacheName, locate, type Target } from "./target.js";
import { findTuned } from "./tuned.js";

export type { PullOptions, PullSeams };

export interface ResolvedModel {
  /** A .gguf file or a model folder. */
  readonly path: string;
  readonly name: string;
  readonly origin: string;
  /** Folder of the adapter that makes it what it is (tuned.ts); undefined for a whole model. */
  readonly adapter?: string;
  /** The name of its base, where it has an adapter. */
  readonly base?: string;
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
 * Removes a model or data set, given as a name or as the source it came from, and what a cut pull left of it.
 * @throws ERR_UNKNOWN_MODEL when there is nothing of that name, ERR_USAGE for a model of the package
 */
export async function removeModel(text: string, home: string = gemmaHome()): Promise<void> {
  const shipped = findShipped(text);
  if (shipped !== undefined) {
    throw new GemmaError("ERR_USAGE", `${shipped.name}: must be something in the cache, got a model of this package`);
  }
  const tuned = findTuned(text);
  if (tuned !== undefined) {
    throw new GemmaError("ERR_USAGE", `${tuned.name}: must be something in the cache, got an adapter of this package`, {
      hint: `gemma rm ${tuned.base} removes the weights that it is on`,
    });
  }
  const name = isDatasetSpec(text) ? datasetName(parseDatasetSpec(text)) : cacheName(text);
  const removed = await inHome(home, name, {}, () => discardModel(home, name));
  if (!removed)
    throw new GemmaError("ERR_UNKNOWN_MODEL", `${text}: must be a model or data set in the cache, got none (${home})`, {
      hint: "gemma list and gemma list --data show what is there",
    });
}

async function obtain(
  text: string,
  options: PullOptions,
  seams: PullSeams,
  find: (home: string, name: string) => Promise<CachedModel | undefined>,
): Promise<ResolvedModel> {
  const env = options.env ?? process.env;
  const home = options.home ?? gemmaHome(env);
  const shipped = findShipped(text);
  if (shipped !== undefined) return { path: shipped.path, name: shipped.name, origin: SHIPPED_ORIGIN };
  const tuned = findTuned(text);
  if (tuned !== undefined) {
    const base = await obtain(tuned.base, options, seams, find);
    return { ...base, name: tuned.name, adapter: tuned.adapter, base: tuned.base };
  }
  const target = await locate(text, home, seams.catalogue ?? CATALOGUE);
  if (target.kind === "path") return resolvePath(target.path);
  const cached = await find(home, target.name);
  if (cached !== undefined) return resolved(cached);
  if (isOffline(options)) throw offlineError(target);

  return inHome(home, target.name, options, async (signal) => {
    const other = await find(home, target.name); // pulled while this process waited
    if (other !== undefined) return resolved(other);
    options.onNotice?.(GEMMA_TERMS);
    // The network and the archives take a while to load; a model that is in the cache needs neither.
    const { fetchModel } = await import("./fetch-model.js");
    await fetchModel(target, home, { ...options, env, signal }, seams);
    const model = await findModel(home, target.name);
    if (model === undefined)
      throw new GemmaError("ERR_IO", `${modelFolder(home, target.name)}: must hold the model, got other files`);
    return resolved(model);
  });
}

function offlineError(target: Extract<Target, { kind: "model" }>): GemmaError {
  const bytes = target.expected.downloadBytes;
  const size = bytes === undefined ? "" : ` (${(bytes / 1e6).toFixed(0)} MB)`;
  return new GemmaError(
    "ERR_OFFLINE",
    `${target.name}: must be in the cache while offline mode is on, got no intact copy there; needed: ${target.sources.map(describeSpec).join(" or ")}${size}`,
    { hint: `unset GEMMA_OFFLINE and HF_HUB_OFFLINE, or give ${SPEC_FORMS.at(-1)}` },
  );
}

function resolved(model: CachedModel): ResolvedModel {
  return { path: model.path, name: model.name, origin: model.origin };
}
