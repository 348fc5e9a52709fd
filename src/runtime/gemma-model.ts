import { defined } from "../base/defined.js";
import type { GemmaError } from "../base/errors.js";
import type { ChatMessage, ChatStyle, Tool, ToolChoice } from "../engine/chat.js";
import { type GenerateOptions, type RequestOptions, requestOptions } from "../engine/options.js";
import type { EngineStats } from "../engine/stats.js";
import type { Calling } from "../engine/tools/calling.js";
import { Chat, type ChatOptions } from "./chat.js";
import { Generation, type OnNote } from "./generation.js";
import type { CallLink } from "./link.js";
import type { CallEvent, GenerateOutcome, ModelInfo, Overflow, Prompt, ScoreOutcome } from "./protocol.js";

export interface GenerateCallOptions extends GenerateOptions {
  readonly signal?: AbortSignal;
}

export interface AnswerOptions extends GenerateCallOptions {
  /** Default: what `chatStyle` says of the adapter, or of the model. */
  readonly style?: ChatStyle;
  /** What the model may call; see docs/tools.md. */
  readonly tools?: readonly Tool[];
  /** Default: "auto". */
  readonly toolChoice?: ToolChoice;
  /** Whether one answer may hold several calls. Default: true. */
  readonly parallelToolCalls?: boolean;
  /**
   * What becomes of a conversation that outgrew the context. "drop": its oldest turns are left out. "error":
   * ERR_CONTEXT_FULL. Default: "drop".
   */
  readonly overflow?: Overflow;
  /** Told when old turns are left out because the conversation outgrew the context. */
  readonly onNote?: OnNote;
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

/** What can be asked of a loaded model, wherever its engine runs. */
export class GemmaModel implements AsyncDisposable {
  /** The chat style of each adapter that requests can choose. */
  private readonly loadedAdapters = new Map<string, ChatStyle>();

  protected constructor(
    protected readonly link: CallLink,
    /** What was loaded, and on which backend. */
    readonly info: ModelInfo,
  ) {}

  /** How conversations are written for the model, or for an adapter on it that was tuned otherwise. */
  chatStyle(adapter?: string): ChatStyle {
    return (adapter === undefined ? undefined : this.loadedAdapters.get(adapter)) ?? this.info.chatStyle;
  }

  /** Continues a text. One BOS is put in front; token ids are used as they are. */
  generate(prompt: Prompt, options: GenerateCallOptions = {}): Generation {
    const { signal, ...rest } = options;
    return new Generation(
      (inner, onEvent) => this.link.call("generate", { prompt, options: rest }, { signal: inner, onEvent }),
      { signal },
    );
  }

  /**
   * Answers a conversation that the caller keeps; its last message is the user's, or a tool's. What the answer calls is
   * in `result`, and none of it among the pieces.
   */
  answer(messages: readonly ChatMessage[], options: AnswerOptions = {}): Generation {
    const { signal, onNote } = options;
    return new Generation((inner, onEvent) => this.turn(messages, options, inner, onEvent), { signal, onNote });
  }

  /** Tokens of the prompt that `answer` makes of a conversation, whether it fits the context or not. */
  countTokens(
    messages: readonly ChatMessage[],
    options: Pick<AnswerOptions, "adapter" | "style" | "tools" | "toolChoice" | "parallelToolCalls"> = {},
  ): Promise<number> {
    const { adapter, style, tools, toolChoice, parallelToolCalls } = options;
    const calling = callingOf(tools, toolChoice, parallelToolCalls);
    return this.link.call("countTokens", { messages, style, calling, adapter });
  }

  /** Begins a conversation. */
  chat(options: ChatOptions & { readonly style?: ChatStyle } = {}): Chat {
    const { style } = options;
    return new Chat(
      (messages, turn, signal, onEvent) => this.turn(messages, { ...turn, ...defined({ style }) }, signal, onEvent),
      options,
    );
  }

  private turn(
    messages: readonly ChatMessage[],
    options: AnswerOptions,
    signal: AbortSignal,
    onEvent: (event: CallEvent) => void,
  ): Promise<GenerateOutcome> {
    const { style, tools, toolChoice, parallelToolCalls, ...given } = options;
    const { signal: _, onNote: __, overflow = "drop", ...rest } = given;
    const calling = callingOf(tools, toolChoice, parallelToolCalls);
    return this.link.call("chat", { messages, style, calling, overflow, options: rest }, { signal, onEvent });
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
  encode(
    text: string,
    options: { readonly specials?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<number[]> {
    const { specials = false, signal } = options;
    return this.link.call("encode", { text, specials }, { signal });
  }

  /** Token ids of a prompt as `generate` takes it: of a text, with one BOS in front. */
  encodePrompt(prompt: Prompt, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number[]> {
    return this.link.call("encodePrompt", { prompt }, { signal });
  }

  decode(ids: readonly number[]): Promise<string> {
    return this.link.call("decode", { ids });
  }

  /** The UTF-8 of each token by itself, maybe a part of a character. */
  tokenBytes(ids: readonly number[]): Promise<Uint8Array[]> {
    return this.link.call("tokenBytes", { ids });
  }

  /** Loads a PEFT LoRA adapter folder under a name that requests can choose, in place of one that has it. */
  async addAdapter(name: string, path: string): Promise<void> {
    this.loadedAdapters.set(name, await this.link.call("addAdapter", { name, path }));
  }

  /** Requests under way finish with the adapter, new ones cannot choose it; its memory goes with the last of them. */
  async removeAdapter(name: string): Promise<void> {
    await this.link.call("removeAdapter", { name });
    this.loadedAdapters.delete(name);
  }

  /** Names of the adapters that requests can choose. */
  get adapters(): readonly string[] {
    return [...this.loadedAdapters.keys()];
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

function callingOf(tools: readonly Tool[] = [], choice: ToolChoice = "auto", parallel = true): Calling {
  return { tools, choice, parallel };
}
