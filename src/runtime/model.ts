import type { Backend } from "../backend/backend.js";
import { Engine, type EngineOptions } from "../engine/engine.js";
import { schemaGrammar } from "../engine/schema/schema-grammar.js";
import { isDialogueTuned } from "../load/dialogue.js";
import { type Checkpoint, loadVocabulary, openCheckpoint } from "../load/open.js";
import { openAdapter } from "../load/open-adapter.js";
import { resolveModel } from "../load/pull.js";
import { loadAdapter } from "../model/adapter-peft.js";
import { loadWeights } from "../model/weights.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { chooseBackend } from "./backends.js";
import { type GrammarMask, GrammarService, grammarVocabulary } from "./grammar.js";
import { checkMemory, engineOptions, neededMemory } from "./memory-plan.js";
import type { LoadProgress, LoadSettings, ModelInfo } from "./protocol.js";

export interface LoadListener {
  readonly signal: AbortSignal;
  progress(progress: LoadProgress): void;
  note(line: string): void;
}

/** A model ready to run. */
export class LoadedModel {
  private grammars: GrammarService | null = null;

  /** @param inProcess whether nothing may run in workers; for tests and debuggers */
  constructor(
    readonly engine: Engine,
    readonly info: ModelInfo,
    private readonly inProcess: boolean,
  ) {}

  /** The mask of a generation that must conform to a JSON schema. @throws ERR_SCHEMA; the reason of an aborted signal */
  async mask(schema: unknown, signal: AbortSignal): Promise<GrammarMask> {
    const grammar = schemaGrammar(schema);
    const { config } = this.engine.parts;
    const { vocabulary, eosIds } = this.engine.tokenizer;
    const stopIds = [...new Set([...config.eosTokenIds, ...eosIds])];
    this.grammars ??= new GrammarService(grammarVocabulary(vocabulary, stopIds, config.vocabSize), this.inProcess);
    return this.grammars.open(grammar, signal);
  }

  /** Frees the model. Idempotent. */
  dispose(): void {
    this.grammars?.dispose();
    this.engine.dispose();
  }

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
export async function loadModel(
  settings: LoadSettings,
  inProcess: boolean,
  listener: LoadListener,
): Promise<LoadedModel> {
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
    const options = engineOptions(settings, checkpoint.config);
    checkMemory(checkpoint.path, neededMemory(checkpoint.config, checkpoint.tensors, options));
    const backend = await chooseBackend(settings.backend, {
      activations,
      ...(settings.threads === undefined ? {} : { threads: settings.threads }),
      ...(settings.isa === undefined ? {} : { isa: settings.isa }),
    });
    try {
      const engine = await buildEngine(backend, checkpoint, options, listener);
      const info: ModelInfo = {
        name: resolved.name,
        path: resolved.path,
        config: checkpoint.config,
        backend: backend.info(),
        kv: options.kv,
        contextLength: options.contextLength,
        chatStyle: isDialogueTuned(checkpoint) ? "gemma" : "qa",
        loadMs: performance.now() - start,
      };
      const loaded = new LoadedModel(engine, info, inProcess);
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
