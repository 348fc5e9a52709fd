import type { Backend } from "../backend/backend.js";
import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";
import { CHAT_FORMS, type ChatForm, type ChatStyle } from "../engine/chat.js";
import { Engine, type EngineOptions } from "../engine/engine.js";
import { adapterDialogue, type Dialogue, dialogueOf } from "../load/dialogue.js";
import { type Checkpoint, loadVocabulary, openCheckpoint } from "../load/open.js";
import { openAdapter } from "../load/open-adapter.js";
import { resolveModel } from "../load/pull.js";
import { type SamplingDefaults, samplingDefaults } from "../load/sampling-defaults.js";
import { expectWhole } from "../load/tuned.js";
import type { Adapter } from "../model/adapter.js";
import { loadAdapter } from "../model/adapter-peft.js";
import { storedWeights } from "../model/stored-weights.js";
import { loadWeights } from "../model/weights.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { chooseBackend } from "./backends.js";
import { draftMemory, loadDraft } from "./draft.js";
import type { GrammarMask, GrammarService } from "./grammar.js";
import type { TemplateRenderer } from "./jinja-template.js";
import { checkMemory, engineOptions, neededMemory, sumMemory } from "./memory-plan.js";
import type { LoadProgress, LoadSettings, ModelInfo } from "./protocol.js";

/** Pre-trained models answer a question best near their most likely text. */
const QA_SAMPLING: SamplingDefaults = { temperature: 0.3 };

/** How a model, or an adapter on it, answers. */
interface Manner {
  readonly dialogue: Dialogue;
  readonly sampling: SamplingDefaults;
}

export interface LoadListener {
  readonly signal: AbortSignal;
  progress(progress: LoadProgress): void;
  note(line: string): void;
}

/** A model ready to run. What few requests need is imported by the first of them: a load should not wait for it. */
export class LoadedModel {
  private grammars: GrammarService | null = null;
  private renderer: TemplateRenderer | null = null;
  private readonly templateForms = new Map<string, ChatForm>();
  private readonly manners = new Map<string, Manner>(); // of adapters by name, where it is not the model's
  private isDisposed = false;

  /** @param inProcess whether nothing may run in workers; for tests and debuggers */
  constructor(
    readonly engine: Engine,
    readonly info: ModelInfo,
    private readonly manner: Manner,
    private readonly inProcess: boolean,
  ) {}

  /**
   * How a chat style writes conversations with the model, or an adapter on it.
   * @throws ERR_USAGE for an unknown one, or a missing template
   */
  async chatForm(style: ChatStyle, adapter?: string): Promise<ChatForm> {
    if (style === "gemma" || style === "qa") return CHAT_FORMS[style];
    const { dialogue } = this.mannerOf(adapter);
    if (style !== "template" || dialogue.kind !== "template") {
      const own = dialogue.kind === "template" ? "" : `; ${adapter ?? this.info.name} has no template of its own`;
      throw new GemmaError("ERR_USAGE", `chat style: must be gemma, qa or template, got ${style}${own}`);
    }
    const form = this.templateForms.get(dialogue.template) ?? (await this.openTemplate(dialogue.template));
    this.templateForms.set(dialogue.template, form);
    return form;
  }

  /** How answers in a style are drawn where the request does not say. */
  answerSampling(style: ChatStyle, adapter?: string): SamplingDefaults {
    return style === "qa" ? QA_SAMPLING : this.mannerOf(adapter).sampling;
  }

  private mannerOf(adapter: string | undefined): Manner {
    return (adapter === undefined ? undefined : this.manners.get(adapter)) ?? this.manner;
  }

  private async openTemplate(template: string): Promise<ChatForm> {
    const [{ TemplateRenderer }, { TemplateChat }] = await Promise.all([
      import("./jinja-template.js"),
      import("./template-chat.js"),
    ]);
    this.renderer ??= new TemplateRenderer(this.inProcess);
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
    this.grammars ??= new GrammarService(grammarVocabulary(vocabulary, stopIds, config.vocabSize), this.inProcess);
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
    const dialogue = adapterDialogue(path) ?? this.manner.dialogue;
    const sampling = { ...this.manner.sampling, ...samplingDefaults(path) };
    this.engine.addAdapter(this.openAdapter(name, path));
    this.manners.set(name, { dialogue, sampling });
    return styleOf(dialogue);
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
    const opened = openAdapter(path, config);
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
  inProcess: boolean,
  listener: LoadListener,
): Promise<LoadedModel> {
  const { signal } = listener;
  const fetchModel = (model: string) =>
    resolveModel(model, {
      signal,
      ...defined({ home: settings.home, offline: settings.offline }),
      onNotice: (line) => listener.note(line),
      onProgress: ({ file, doneBytes, totalBytes, ...rest }) =>
        listener.progress({ ...rest, what: file, done: doneBytes, total: totalBytes ?? 0 }),
    });
  const resolved = await fetchModel(settings.model);
  if (settings.draftModel !== undefined) expectWhole(settings.draftModel, "draft model");
  const small = settings.draftModel === undefined ? null : await fetchModel(settings.draftModel);
  const start = performance.now();
  const checkpoint = openCheckpoint(resolved.path);
  let draft: Checkpoint | null = null;
  try {
    draft = small && openCheckpoint(small.path);
    for (const note of [...checkpoint.notes, ...(draft?.notes ?? [])]) listener.note(note);
    const activations = settings.activations ?? "int8";
    const options = engineOptions(settings, checkpoint.config);
    const needed = neededMemory(checkpoint.config, checkpoint.tensors, options);
    checkMemory(checkpoint.path, draft ? sumMemory(needed, draftMemory(draft, options)) : needed);
    const backend = await chooseBackend(settings.backend, {
      activations,
      ...(settings.threads === undefined ? {} : { threads: settings.threads }),
      ...(settings.isa === undefined ? {} : { isa: settings.isa }),
    });
    try {
      const engine = await buildEngine(backend, checkpoint, draft, options, settings.screenHead ?? true, listener);
      const manner = mannerOf(checkpoint, resolved.adapter);
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
        chatStyle: styleOf(manner.dialogue),
        ...(small ? { draftModel: small.name } : {}),
        loadMs: performance.now() - start,
      };
      const loaded = new LoadedModel(engine, info, manner, inProcess);
      if (resolved.adapter !== undefined) loaded.setOwnAdapter(resolved.name, resolved.adapter);
      return loaded;
    } catch (error) {
      backend.dispose();
      throw error;
    }
  } finally {
    checkpoint.close();
    draft?.close();
  }
}

/** What the folder of a model's own adapter says goes before what its base's does. */
function mannerOf(checkpoint: Checkpoint, adapter: string | undefined): Manner {
  const own = checkpoint.naming === "hf" ? samplingDefaults(checkpoint.path) : {};
  if (adapter === undefined) return { dialogue: dialogueOf(checkpoint), sampling: own };
  return {
    dialogue: adapterDialogue(adapter) ?? dialogueOf(checkpoint),
    sampling: { ...own, ...samplingDefaults(adapter) },
  };
}

function styleOf({ kind }: Dialogue): ChatStyle {
  return kind === "none" ? "qa" : kind;
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
