import { mkdir } from "node:fs/promises";
import { GemmaError } from "../base/errors.js";
import { installModel, stagingFolder } from "./cache.js";
import { createNet } from "./net.js";
import type { PullOptions, PullSeams } from "./pull-options.js";
import { fetchSource } from "./sources/index.js";
import type { Fetched, SourceContext } from "./sources/source.js";
import { SPEC_FORMS } from "./spec.js";
import type { Target } from "./target.js";

type ModelTarget = Extract<Target, { kind: "model" }>;

/** Brings a model into the cache. The caller holds its lock. @throws what the sources throw */
export async function fetchModel(
  target: ModelTarget,
  home: string,
  options: PullOptions & { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
  seams: PullSeams,
): Promise<void> {
  const { env, signal, onProgress, onNotice } = options;
  const net = seams.net?.(env) ?? createNet({ env });
  try {
    const folder = stagingFolder(home, target.name);
    await mkdir(folder, { recursive: true });
    const pause = seams.retryDelayMs === undefined ? {} : { retryDelayMs: seams.retryDelayMs };
    const fetched = await fetchFromFirst(target, { folder, net, env, signal, onProgress, ...pause }, onNotice);
    const pulledAt = new Date().toISOString();
    await installModel(home, { name: target.name, origin: fetched.origin, pulledAt, files: fetched.files });
  } finally {
    await net.close();
  }
}

/** The first source that gives the model. An abort, or a full disk, is not the source's fault and ends it all. */
async function fetchFromFirst(
  target: ModelTarget,
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

function noSourceError(target: ModelTarget, problems: readonly GemmaError[]): GemmaError {
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
