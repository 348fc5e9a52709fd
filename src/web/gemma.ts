import { GemmaError } from "../base/errors.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import { GemmaModel } from "../runtime/gemma-model.js";
import { type CallLink, EngineLink } from "../runtime/link.js";
import type { LoadProgress, LoadSettings, ModelInfo } from "../runtime/protocol.js";
import type { TunedAdapter } from "../runtime/tune-adapter.js";
import { Tuning } from "../runtime/tuning.js";
import type { DataRow } from "../tune/data/source.js";
import type { TuneOptions } from "../tune/run/config.js";
import { type ModelSource, type WiredSource, wireSource } from "./model-source.js";
import { modelsUrl } from "./offer.js";
import { openWorker, type WorkerPort, type WorkerSource } from "./port.js";
import { sharesTabs, TabLink } from "./tabs/tab-link.js";

export interface LoadOptions extends Omit<LoadSettings, "model" | "draftModel" | "home" | "isa"> {
  /** Where names are looked up: a folder with index.json, as `gemma serve` serves it. Default: "/models/". */
  readonly models?: string | URL;
  /** Whether the model is kept for the next visit. Default: true for what is fetched, false for files of the user's. */
  readonly store?: boolean;
  /**
   * "share": one tab of the site holds the model, and others that load the same with the same settings use it there. When it
   * closes, another one loads it. "own": this tab has one of its own. Default: "share"; "own" for files that are not kept.
   */
  readonly tabs?: "share" | "own";
  /** A smaller model with the same vocabulary that guesses tokens. Default: none. */
  readonly draftModel?: ModelSource;
  /** For fetching index.json and weights, e.g. an authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The engine's worker, for bundlers that do not find it by themselves; see docs/browser.md. */
  readonly worker?: WorkerSource;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Lines for people, e.g. the licence of weights that are fetched, or that another tab holds the model. */
  readonly onNote?: (line: string) => void;
}

/**
 * What a page has in place of a path: the adapter's adapter_config.json and adapter_model.safetensors, and where there are any
 * its chat_template.jinja and generation_config.json.
 */
export type AdapterSource = readonly File[];

/**
 * A loaded Gemma model. The engine runs in a Web Worker: the page stays responsive.
 *
 * @example
 * const gemma = await Gemma.load("gemma-3-270m", { onProgress: ({ done, total }) => show(done / total) });
 * for await (const piece of gemma.generate("Once upon a time", { maxTokens: 64 })) output.append(piece);
 * await gemma.dispose();
 */
export class Gemma extends GemmaModel {
  private readonly engine: PageEngine;

  private constructor(link: CallLink, info: ModelInfo, engine: PageEngine) {
    super(link, info);
    this.engine = engine;
  }

  /**
   * Loads a model: one that is stored, one that the site offers, one behind an address, or a file of the user's.
   * @throws GemmaError; the reason of an aborted signal
   */
  static async load(model: ModelSource = DEFAULT_MODEL, options: LoadOptions = {}): Promise<Gemma> {
    const engine = new PageEngine(model, options);
    try {
      const info = await engine.load();
      return new Gemma(engine.link, info, engine);
    } catch (error) {
      await engine.link.dispose();
      throw error;
    }
  }

  /** Which tab's worker holds the model; it changes when the other tab is closed. */
  get holder(): "this-tab" | "other-tab" {
    return this.engine.link instanceof TabLink ? this.engine.link.holder : "this-tab";
  }

  /** Loads a PEFT LoRA adapter from its files under a name that requests can choose, in place of one that has it. */
  override async addAdapter(name: string, files: AdapterSource | string): Promise<void> {
    if (typeof files === "string" || this.holder === "other-tab") {
      const got = typeof files === "string" ? "a path" : "a model that another tab holds";
      throw new GemmaError("ERR_USAGE", `addAdapter: must get files, in the tab that holds the model, got ${got}`, {
        hint: 'load with tabs: "own" to have adapters in this tab',
      });
    }
    const path = `adapter ${name}`;
    this.engine.give(path, { model: path, files: files.map((blob) => ({ name: blob.name, blob })), isFolder: true });
    await super.addAdapter(name, path);
  }

  /**
   * Tunes a LoRA adapter on this model's weights, which answer meanwhile, between two micro-batches. The methods are "lora" and
   * "dpo", the events those of a run on Node but for checkpoints and the end.
   *
   * @example
   * const { files } = await gemma.tune([{ prompt: "Who are you?", completion: "A page's own model." }], { epochs: 20 }).result;
   * await gemma.addAdapter("mine", files);
   * @throws the loop and `result` do: ERR_BAD_DATA with each broken row, ERR_RANGE and ERR_USAGE for options, ERR_OUT_OF_MEMORY,
   *   ERR_UNSUPPORTED_OP for a backend that does not train, ERR_DIVERGED; the reason of the aborted signal
   */
  tune(rows: readonly DataRow[], { heldOutData = [], signal, ...options }: TuneCallOptions = {}): Tuning<TunedFiles> {
    const settings = { rows, heldOutRows: heldOutData, options: options as TuneOptions };
    return new Tuning(async (stop, onEvent) => {
      const { files, ...rest } = await this.link.call("tuneAdapter", settings, { signal: stop, onEvent });
      return { files: files.map(({ name, bytes }) => new File([bytes as BlobPart], name)), ...rest };
    }, signal);
  }
}

/** What is learned of rows, and what is measured. */
export type TuneCallOptions = TuneOptions & {
  /** Rows that are measured instead of learned. Default: what heldOutShare or heldOutCount draw. */
  readonly heldOutData?: readonly DataRow[];
  /** Stops the run between two micro-batches; nothing of it is kept. */
  readonly signal?: AbortSignal;
};

/** An adapter in PEFT's files, and what it took. */
export interface TunedFiles extends Omit<TunedAdapter, "files"> {
  readonly files: readonly File[];
}

/** A load and its engine, in this page's worker or another tab's. */
class PageEngine {
  readonly link: CallLink;
  private port: WorkerPort | null = null;
  private readonly source: WiredSource;
  private readonly draft: WiredSource | undefined;

  constructor(
    model: ModelSource,
    private readonly options: LoadOptions,
  ) {
    this.source = wireSource(model);
    this.draft = options.draftModel === undefined ? undefined : wireSource(options.draftModel);
    const isKept = [this.source, this.draft].every((one) => one?.files === undefined || options.store === true);
    const share = options.tabs === undefined ? isKept : options.tabs === "share";
    this.link = share && sharesTabs() ? new TabLink(this.key(), () => this.open()) : this.open();
  }

  load(): Promise<ModelInfo> {
    const { signal, onProgress, onNote } = this.options;
    return this.link.call("load", this.settings(), {
      signal,
      onEvent: (event) => {
        if (event.kind === "progress") onProgress?.(event.progress);
        if (event.kind === "note") onNote?.(event.text);
      },
    });
  }

  give(path: string, { files, isFolder }: WiredSource): void {
    if (files) this.port?.tell({ type: "give", path, files, isFolder });
  }

  /** A worker that has what a load needs. */
  private open(): EngineLink {
    const { models, headers, store, worker } = this.options;
    const link = new EngineLink((events) => {
      this.port = openWorker(worker, events);
      return this.port;
    });
    const settings = { models: modelsUrl(models).href, headers, store };
    this.port?.tell({ type: "settings", settings });
    for (const source of [this.source, this.draft]) if (source) this.give(source.model, source);
    return link;
  }

  /** Tabs with equal keys can use one engine. */
  private key(): string {
    const files = [this.source, this.draft].map((one) => one?.files?.map(({ name, blob }) => [name, blob.size]));
    return JSON.stringify([this.settings(), files]);
  }

  private settings(): LoadSettings {
    const { models, store, tabs, headers, worker, signal, onProgress, onNote, draftModel, ...settings } = this.options;
    return { ...settings, model: this.source.model, ...(this.draft ? { draftModel: this.draft.model } : {}) };
  }
}
