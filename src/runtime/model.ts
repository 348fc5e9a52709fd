import type { Backend } from "../backend/backend.js";
import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";
import { CHAT_FORMS, type ChatForm, type ChatStyle } from "../engine/chat.js";
import { Engine, type EngineOptions } from "../engine/engine.js";
import { openAdapterIn } from "../load/adapter-files.js";
import { type Checkpoint, loadVocabulary, openCheckpointIn } from "../load/checkpoint.js";
import type { Adapter } from "../model/adapter.js";
import { loadAdapter } from "../model/adapter-peft.js";
import { storedWeights } from "../model/stored-weights.js";
import { loadWeights } from "../model/weights.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { draftMemory, loadDraft } from "./draft.js";
import type { GrammarMask, GrammarService } from "./grammar.js";
import type { TemplateRenderer } from "./jinja-template.js";
import { adapterManner, answerSampling, type Manner, modelManner, styleOf } from "./manner.js";
import { checkMemory, engineOptions, neededMemory, sumMemory } from "./memory-plan.js";
import type { LoadListener, Platform } from "./platform.js";
import type { LoadSettings, ModelInfo } from "./protocol.js";

/** A model ready to run. What few requests need is imported by the first of them: a load should not wait for it. */
export class LoadedModel {
  private grammars: GrammarService | null = null;
  private renderer: TemplateRenderer | null = null;
  private readonly templateForms = new WeakMap<Manner, Promise<ChatForm>>();
  private readonly manners = new Map<string, Manner>(); // of adapters by name
  private isDisposed = false;

  /** @param base the manner without the model's own adapter, if it has one: that of the adapters which take its place */
  constructor(
    readonly engine: Engine,
    readonly info: ModelInfo,
    private readonly manner: Manner,
    readonly base: Manner,
    readonly platform: Platform,
    /** What the engine may come to take beside the weights. */
    readonly engineBytes: number,
  ) {}

  /** How an adapter answers, or the model. Read it when the adapter is chosen: later it may be another one. */
  mannerOf(adapter: string | undefined): Manner {
    return (adapter === undefined ? undefined : this.manners.get(adapter)) ?? this.manner;
  }

  /** How a chat style writes conversations. @throws ERR_USAGE for an unknown one, or a missing template */
  async chatForm(style: ChatStyle, manner: Manner): Promise<ChatForm> {
    if (style === "gemma" || style === "qa") return CHAT_FORMS[style];
    const { dialogue } = manner;
    if (style !== "template" || dialogue.kind !== "template") {
      const own = dialogue.kind === "template" ? "" : "; there is no template of its own";
      throw new GemmaError("ERR_USAGE", `chat style: must be gemma, qa or template, got ${style}${own}`);
    }
    const known = this.templateForms.get(manner);
    if (known !== undefined) return known;
    const form = this.openTemplate(dialogue.template);
    this.templateForms.set(manner, form);
    form.catch(() => this.templateForms.delete(manner)); // the next request tries again
    return form;
  }

  private async openTemplate(template: string): Promise<ChatForm> {
    const [{ TemplateRenderer }, { TemplateChat }] = await Promise.all([
      import("./jinja-template.js"),
      import("./template-chat.js"),
    ]);
    this.renderer ??= new TemplateRenderer(this.platform.templates);
    const chat = new TemplateChat(this.renderer, template, this.engine.tokenizer);
    return { segments: (messages) => chat.segments(messages), stops: await chat.stops() };
  }

  /** The mask of a generation that must conform to a grammar. @throws ERR_SCHEMA, ERR_DISPOSED; the reason of an aborted signal */
  async mask(grammar: string, signal: AbortSignal): Promise<GrammarMask> {
    const { GrammarService, grammarVocabulary } = await import("./grammar.js");
    signal.throwIfAborted();
    if (this.isDisposed) throw new GemmaError("ERR_DISPOSED", "the model was disposed");
    const { config } = this.engine.parts;
    const { vocabulary, eosIds } = this.engine.tokenizer;
    const stopIds = [...new Set([...config.eosTokenIds, ...eosIds])];
    const known = grammarVocabulary(vocabulary, stopIds, config.vocabSize);
    this.grammars ??= new GrammarService(known, this.platform.grammars);
    return this.grammars.open(grammar, signal);
  }

  /** Frees the model. Idempotent. */
  dispose(): void {
    this.isDisposed = true;
    this.grammars?.dispose();
    this.renderer?.dispose();
    this.engine.dispose();
  }

  /** Loads the PEFT adapter in folder `path`, to be chosen by `name`. @returns the chat style of its answers */
  addAdapter(name: string, path: string): ChatStyle {
    const manner = adapterManner(this.platform.files, path, this.base);
    this.engine.addAdapter(this.openAdapter(name, path));
    this.manners.set(name, manner);
    return styleOf(manner);
  }

  removeAdapter(name: string): void {
    this.engine.removeAdapter(name);
    this.manners.delete(name);
  }

  /** Loads the one that makes the model what it is. */
  setOwnAdapter(name: string, path: string): void {
    this.engine.setOwnAdapter(this.openAdapter(name, path));
  }

  private openAdapter(name: string, path: string): Adapter {
    const { backend, config } = this.engine.parts;
    const opened = openAdapterIn(this.platform.files, path, config);
    try {
      return loadAdapter(backend, name, opened.adapter);
    } finally {
      opened.close();
    }
  }
}

/** Fetches (if needed), opens, checks and loads a model. */
export async function loadModel(
  settings: LoadSettings,
  platform: Platform,
  listener: LoadListener,
): Promise<LoadedModel> {
  const { draftModel } = settings;
  const closers: (() => void)[] = []; // of what is open until the weights are loaded
  const resolve = async (model: string, role?: string) => {
    const ready = await platform.resolve(model, settings, listener, role);
    if (ready.release) closers.push(ready.release);
    return ready;
  };
  const open = (path: string) => {
    const checkpoint = openCheckpointIn(platform.files, path);
    closers.push(() => checkpoint.close());
    return checkpoint;
  };
  try {
    const resolved = await resolve(settings.model);
    const small = draftModel === undefined ? null : await resolve(draftModel, "draft model");
    const start = performance.now();
    const checkpoint = open(resolved.path);
    const draft = small && open(small.path);
    for (const note of [...checkpoint.notes, ...(draft?.notes ?? [])]) listener.note(note);
    const activations = settings.activations ?? "int8";
    const options = engineOptions(settings, checkpoint.config);
    const needed = neededMemory(checkpoint.config, checkpoint.tensors, options, platform.packedBytes);
    const both = draft ? sumMemory(needed, draftMemory(draft, options)) : needed;
    checkMemory(checkpoint.path, both, platform.memoryLimit());
    const { threads, isa } = settings;
    const backendOptions = { activations, ...defined({ threads, isa }) };
    const backend = await platform.chooseBackend(settings.backend, backendOptions, (line) => listener.note(line));
    try {
      const engine = await buildEngine(backend, checkpoint, draft, options, settings.screenHead ?? true, listener);
      const base = modelManner(platform.files, checkpoint);
      const manner = resolved.adapter === undefined ? base : adapterManner(platform.files, resolved.adapter, base);
      const info: ModelInfo = {
        name: resolved.name,
        path: resolved.path,
        ...defined({ base: resolved.base, adapter: resolved.adapter }),
        config: checkpoint.config,
        weights: storedWeights(checkpoint.naming, checkpoint.tensors),
        backend: backend.info(),
        kv: options.kv,
        contextLength: options.contextLength,
        headIsScreened: engine.parts.weights.embedding.isScreened,
        chatStyle: styleOf(manner),
        sampling: answerSampling(styleOf(manner), manner),
        ...(small ? { draftModel: small.name } : {}),
        loadMs: performance.now() - start,
      };
      const engineBytes = both.totalBytes - needed.weightsBytes;
      const loaded = new LoadedModel(engine, info, manner, base, platform, engineBytes);
      if (resolved.adapter !== undefined) loaded.setOwnAdapter(resolved.name, resolved.adapter);
      return loaded;
    } catch (error) {
      backend.dispose();
      throw error;
    }
  } finally {
    for (const close of closers.reverse()) close();
  }
}

async function buildEngine(
  backend: Backend,
  checkpoint: Checkpoint,
  small: Checkpoint | null,
  options: EngineOptions,
  screenHead: boolean,
  { signal, progress }: LoadListener,
): Promise<Engine> {
  const { config, naming } = checkpoint;
  let tokenizer = null as Tokenizer | null; // a cast: TypeScript does not see that `meanwhile` assigns it
  const weights = await loadWeights(backend, config, checkpoint.tensors, {
    naming,
    screenHead,
    signal,
    meanwhile: () => {
      if (checkpoint.tokenizer) tokenizer = Tokenizer.fromVocabulary(loadVocabulary(checkpoint));
    },
    onProgress: (done, total) => progress({ phase: "weights", what: checkpoint.path, done, total }),
  });
  const draft =
    small === null
      ? undefined
      : await loadDraft(backend, small, checkpoint, {
          ...{ vocabulary: tokenizer?.vocabulary, screenHead, signal },
          onProgress: (done, total) => progress({ phase: "weights", what: small.path, done, total }),
        });
  return new Engine({ backend, config, weights, tokenizer, name: checkpoint.path, draft }, options);
}
