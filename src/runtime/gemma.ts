import type { GemmaError } from "../base/errors.js";
import type { ChatMessage, ChatStyle } from "../engine/chat.js";
import { type GenerateOptions, type RequestOptions, requestOptions } from "../engine/options.js";
import type { EngineStats } from "../engine/stats.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import { Chat, type ChatOptions } from "./chat.js";
import { Generation } from "./generation.js";
import { EngineLink } from "./link.js";
import type { LoadProgress, LoadSettings, ModelInfo, Prompt, ScoreOutcome } from "./protocol.js";

export interface LoadOptions extends Omit<LoadSettings, "model"> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Lines for people, e.g. the licence of weights that are fetched, or which backend was chosen. */
  readonly onNote?: (line: string) => void;
  /** Runs the engine in the caller's thread, which is then blocked during each step. For tests and debuggers. */
  readonly inProcess?: boolean;
}

export interface GenerateCallOptions extends GenerateOptions {
  readonly signal?: AbortSignal;
}

export interface ScoreOptions extends RequestOptions {
  /** Alternatives with each log-probability. Default: 0. */
  readonly top?: number;
  /** Position of the first row that is looked at: tokens from first + 1 on are scored. Default: 0. */
  readonly first?: number;
  /** Token ids that may follow the last one, to be scored there: all of them for the price of one row. Default: none. */
  readonly after?: readonly number[];
  readonly adapter?: string;
  /** Receives the logits [V] behind each token from `first` on, in order. */
  readonly onLogits?: (position: number, logits: Float32Array) => void;
  readonly signal?: AbortSignal;
}

export interface EmbedOptions extends RequestOptions {
  readonly adapter?: string;
  readonly signal?: AbortSignal;
}

/**
 * A loaded Gemma model. The engine runs in a worker thread: nothing here blocks the event loop.
 *
 * @example
 * const gemma = await Gemma.load("gemma-3-270m");
 * for await (const piece of gemma.generate("Once upon a time", { maxTokens: 64 })) process.stdout.write(piece);
 * await gemma.dispose();
 */
export class Gemma implements AsyncDisposable {
  private constructor(
    private readonly link: EngineLink,
    /** What was loaded, and on which backend. */
    readonly info: ModelInfo,
  ) {}

  /**
   * Loads a model by name (`gemma-3-270m`), source (`hf:google/gemma-2b`) or path, fetching it first if needed.
   * @throws GemmaError; the reason of an aborted signal
   */
  static async load(model: string = DEFAULT_MODEL, options: LoadOptions = {}): Promise<Gemma> {
    const { signal, onProgress, onNote, inProcess = false, ...settings } = options;
    const link = new EngineLink(inProcess);
    try {
      const info = await link.call(
        "load",
        { ...settings, model },
        {
          signal,
          onEvent: (event) => {
            if (event.kind === "progress") onProgress?.(event.progress);
            if (event.kind === "note") onNote?.(event.text);
          },
        },
      );
      return new Gemma(link, info);
    } catch (error) {
      await link.dispose();
      throw error;
    }
  }

  /** Continues a text. One BOS is put in front; token ids are used as they are. */
  generate(prompt: Prompt, options: GenerateCallOptions = {}): Generation {
    const { signal, ...rest } = options;
    return new Generation(
      (inner, onEvent) => this.link.call("generate", { prompt, options: rest }, { signal: inner, onEvent }),
      { signal },
    );
  }

  /** Begins a conversation. */
  chat(options: ChatOptions & { readonly style?: ChatStyle } = {}): Chat {
    const style = options.style ?? this.info.chatStyle;
    return new Chat((messages: readonly ChatMessage[], { signal: _, ...rest }, signal, onEvent) => {
      return this.link.call("chat", { messages, style, options: rest }, { signal, onEvent });
    }, options);
  }

  /** Natural log-probabilities of each token of a text given all before it. */
  score(prompt: Prompt, options: ScoreOptions = {}): Promise<ScoreOutcome> {
    const { top = 0, first = 0, after = [], adapter, onLogits, signal } = options;
    const wantLogits = onLogits !== undefined;
    return this.link.call(
      "score",
      { prompt, top, first, after, adapter, wantLogits, request: requestOptions(options) },
      {
        signal,
        onEvent: (event) => {
          if (event.kind === "logits") onLogits?.(event.position, event.logits);
        },
      },
    );
  }

  /** Mean of the final hidden states over all tokens [D], scaled to length 1. */
  embed(prompt: Prompt, options: EmbedOptions = {}): Promise<Float32Array> {
    const { adapter, signal } = options;
    return this.link.call("embed", { prompt, adapter, request: requestOptions(options) }, { signal });
  }

  /** Token ids of a text, without BOS. With `specials`, control tokens written in the text become their ids. */
  encode(text: string, options: { readonly specials?: boolean } = {}): Promise<number[]> {
    return this.link.call("encode", { text, specials: options.specials ?? false });
  }

  decode(ids: readonly number[]): Promise<string> {
    return this.link.call("decode", { ids });
  }

  /** Loads a PEFT LoRA adapter folder under a name that requests can choose, in place of one that has it. */
  async addAdapter(name: string, path: string): Promise<void> {
    await this.link.call("addAdapter", { name, path });
  }

  /** Requests under way finish with the adapter, new ones cannot choose it; its memory goes with the last of them. */
  async removeAdapter(name: string): Promise<void> {
    await this.link.call("removeAdapter", { name });
  }

  /** What the engine is doing, and what it has done since it was loaded. It answers between two steps. */
  stats(): Promise<EngineStats> {
    return this.link.call("stats", null);
  }

  /** Resolves when the engine has ended: with ERR_DISPOSED after dispose(), with ERR_WORKER when its worker died. */
  get ended(): Promise<GemmaError> {
    return this.link.ended;
  }

  /** Frees the model; calls under way reject. Idempotent. */
  dispose(): Promise<void> {
    return this.link.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
