import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import type { Activations, Backend } from "../backend/backend.js";
import type { KvDtype } from "../backend/kv.js";
import { GemmaError } from "../base/errors.js";
import { Engine, type EngineOptions } from "../engine/engine.js";
import { HEAD_ROWS } from "../engine/step.js";
import { isDialogueTuned } from "../load/dialogue.js";
import { type Checkpoint, loadVocabulary, openCheckpoint } from "../load/open.js";
import { openAdapter } from "../load/open-adapter.js";
import { resolveModel } from "../load/pull.js";
import { loadAdapter } from "../model/adapter-peft.js";
import { estimateMemory } from "../model/memory.js";
import { loadWeights } from "../model/weights.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { chooseBackend } from "./backends.js";
import type { LoadProgress, LoadSettings, ModelInfo } from "./protocol.js";

const DEFAULT_CONTEXT = 8192;
const STEP_ROWS = 256;
const DEFAULT_SEQUENCES = 16;

export interface LoadListener {
  readonly signal: AbortSignal;
  progress(progress: LoadProgress): void;
  note(line: string): void;
}

/** A model ready to run. */
export class LoadedModel {
  constructor(
    readonly engine: Engine,
    readonly info: ModelInfo,
  ) {}

  /** Loads the PEFT adapter in folder `path`, to be chosen by `name`. */
  addAdapter(name: string, path: string): void {
    const { backend, config } = this.engine.parts;
    const opened = openAdapter(path, config);
    try {
      this.engine.addAdapter(loadAdapter(backend, name, opened.adapter));
    } finally {
      opened.close();
    }
  }
}

/** Fetches (if needed), opens, checks and loads a model. */
export async function loadModel(settings: LoadSettings, listener: LoadListener): Promise<LoadedModel> {
  const { signal } = listener;
  const resolved = await resolveModel(settings.model, {
    signal,
    ...(settings.home === undefined ? {} : { home: settings.home }),
    ...(settings.offline === undefined ? {} : { offline: settings.offline }),
    onNotice: (line) => listener.note(line),
    onProgress: ({ file, doneBytes, totalBytes, ...rest }) =>
      listener.progress({ ...rest, what: file, done: doneBytes, total: totalBytes ?? 0 }),
  });
  const start = performance.now();
  const checkpoint = openCheckpoint(resolved.path);
  try {
    for (const note of checkpoint.notes) listener.note(note);
    const activations = settings.activations ?? "int8";
    const options = engineOptions(settings, checkpoint, activations);
    checkMemory(checkpoint, options);
    const backend = await chooseBackend(settings.backend, {
      activations,
      ...(settings.threads === undefined ? {} : { threads: settings.threads }),
      ...(settings.isa === undefined ? {} : { isa: settings.isa }),
    });
    try {
      const engine = await buildEngine(backend, checkpoint, options, listener);
      const loaded = new LoadedModel(engine, {
        name: resolved.name,
        path: resolved.path,
        config: checkpoint.config,
        backend: backend.info(),
        kv: options.kv,
        contextLength: options.contextLength,
        chatStyle: isDialogueTuned(checkpoint) ? "gemma" : "qa",
        loadMs: performance.now() - start,
      });
      for (const [name, path] of Object.entries(settings.adapters ?? {})) loaded.addAdapter(name, path);
      return loaded;
    } catch (error) {
      backend.dispose();
      throw error;
    }
  } finally {
    checkpoint.close();
  }
}

async function buildEngine(
  backend: Backend,
  checkpoint: Checkpoint,
  options: EngineOptions,
  { signal, progress }: LoadListener,
): Promise<Engine> {
  const { config, naming } = checkpoint;
  const tokenizer = checkpoint.tokenizer ? Tokenizer.fromVocabulary(loadVocabulary(checkpoint)) : null;
  const weights = await loadWeights(backend, config, checkpoint.tensors, {
    naming,
    signal,
    onProgress: (done, total) => progress({ phase: "weights", what: checkpoint.path, done, total }),
  });
  return new Engine({ backend, config, weights, tokenizer, name: checkpoint.path }, options);
}

function engineOptions(settings: LoadSettings, { config }: Checkpoint, activations: Activations): EngineOptions {
  const trained = config.maxPositionEmbeddings;
  const contextLength = settings.contextLength ?? Math.min(DEFAULT_CONTEXT, trained);
  if (!Number.isInteger(contextLength) || contextLength < 1 || contextLength > trained) {
    throw new GemmaError(
      "ERR_RANGE",
      `context: must be an integer in 1..${trained}, what the model was trained for, got ${contextLength}`,
    );
  }
  const kv: KvDtype = settings.kv ?? (activations === "f32" ? "f32" : "bf16");
  const maxSequences = settings.maxSequences ?? DEFAULT_SEQUENCES;
  return { contextLength, kv, maxSequences, maxRows: STEP_ROWS };
}

/** @throws ERR_OUT_OF_MEMORY before anything is allocated that this machine, or this container, cannot hold */
function checkMemory(checkpoint: Checkpoint, options: EngineOptions): void {
  const needed = estimateMemory(checkpoint.config, {
    tensors: checkpoint.tensors,
    contextLength: options.contextLength,
    kvDtype: options.kv,
    stepRows: options.maxRows,
    outputRows: HEAD_ROWS,
  });
  const limit = memoryLimit();
  if (needed.totalBytes <= limit) return;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const parts = `weights ${gb(needed.weightsBytes)}, cache ${gb(needed.kvBytes)}, scratch ${gb(needed.scratchBytes)}`;
  throw new GemmaError(
    "ERR_OUT_OF_MEMORY",
    `${checkpoint.path}: needs about ${gb(needed.totalBytes)} (${parts}), this machine has ${gb(limit)}`,
    { hint: "choose a smaller model or quantisation, a smaller --ctx, or --kv int8" },
  );
}

/** Memory this process may use: the machine's, or its control group's limit (cgroup v2, then v1). */
function memoryLimit(): number {
  let limit = totalmem();
  for (const file of ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]) {
    try {
      const value = Number(readFileSync(file, "utf8").trim()); // "max" is NaN
      if (value > 0) limit = Math.min(limit, value);
    } catch {
      // no control groups of this kind here
    }
  }
  return limit;
}
