import type { Activations, BackendInfo, BackendName } from "../backend/backend.js";
import type { KvDtype } from "../backend/kv.js";
import type { ErrorCode } from "../base/errors.js";
import type { ChatMessage, ChatStyle, ToolCall } from "../engine/chat.js";
import type { FinishReason as EngineReason, Piece } from "../engine/generate-job.js";
import type { TokenLogProb } from "../engine/job.js";
import type { GenerateOptions, RequestOptions } from "../engine/options.js";
import type { EngineStats } from "../engine/stats.js";
import type { Calling } from "../engine/tools/calling.js";
import type { SamplingDefaults } from "../load/sampling-defaults.js";
import type { GemmaConfig } from "../model/config.js";
import type { StoredWeights } from "../model/stored-weights.js";
import type { Segment } from "../tokenizer/prompt.js";
import type { TuneEvent, TuneResult } from "../tune/run/events.js";
import type { TuneAdapterSettings, TunedAdapter } from "./tune-adapter.js";
import type { TuneSettings } from "./tune-run.js";

// Messages between the caller's thread and the engine's worker: plain data only.

/** Text (one BOS is put in front), token ids (used as they are), or typed segments. */
export type Prompt = string | { readonly ids: readonly number[] } | readonly Segment[];

export interface LoadSettings {
  readonly model: string;
  /**
   * Name, source or path of a smaller model with the same vocabulary. It guesses tokens, which the model then computes
   * several at once, where that pays: the same text, sooner. Default: none.
   */
  readonly draftModel?: string;
  /** Default: the best that is available. */
  readonly backend?: BackendName;
  /** Default: "int8". "f32" also keeps the cache in f32. */
  readonly activations?: Activations;
  /** Forces an instruction set that this CPU can run; for tests. */
  readonly isa?: string;
  /** Default: the physical cores that this process may use. */
  readonly threads?: number;
  /** Positions of one conversation or text. Default: 8192, or what the model was trained for if less. */
  readonly contextLength?: number;
  /** Type of the cache. Default: "bf16"; "f32" with activations "f32". */
  readonly kv?: KvDtype;
  /** Sequences computed together at most, 1 to 256. Default: 16. */
  readonly maxSequences?: number;
  /**
   * Memory for what was computed of ended texts, so that a later one that begins alike starts there; at least one full
   * context's. Default: 32 MiB.
   */
  readonly prefixCacheBytes?: number;
  /**
   * Where every row of a step takes the next token from its k most likely ones, reads of the head only what can change
   * the result: the same tokens, in less time. Default: true.
   */
  readonly screenHead?: boolean;
  /** Never use the network. Default: the environment variables GEMMA_OFFLINE and HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Cache folder. Default: GEMMA_HOME, else XDG_CACHE_HOME/gemma-ts, else ~/.cache/gemma-ts. */
  readonly home?: string;
}

/** What was loaded. */
export interface ModelInfo {
  readonly name: string;
  /** Of the weights. */
  readonly path: string;
  /** Of a model of this package: the one that it is an adapter on, and that adapter's folder. */
  readonly base?: string;
  readonly adapter?: string;
  readonly config: GemmaConfig;
  /** What the weights are on disk. */
  readonly weights: StoredWeights;
  readonly backend: BackendInfo;
  readonly kv: KvDtype;
  readonly contextLength: number;
  /** Whether steps can do with a part of the head: asked for, and possible with its type and this backend. */
  readonly headIsScreened: boolean;
  /** "gemma" or "template" (that of the checkpoint, or of its own adapter) for instruction-tuned models, "qa" for pre-trained ones. */
  readonly chatStyle: ChatStyle;
  /** How answers are drawn where a request does not say. */
  readonly sampling: SamplingDefaults;
  /** Name of the draft model, where there is one. */
  readonly draftModel?: string;
  readonly loadMs: number;
}

/** What a load is doing. */
export interface LoadProgress {
  readonly phase: "download" | "verify" | "unpack" | "wait" | "weights";
  /** The file, or what is waited for. */
  readonly what: string;
  /** Bytes so far. */
  readonly done: number;
  /** Bytes in all; 0 where nobody knows. */
  readonly total: number;
  readonly bytesPerSecond?: number | undefined;
  readonly remainingSeconds?: number | undefined;
}

export interface Timings {
  readonly promptTokens: number;
  /** Of these, tokens that came from a remembered prefix. */
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  /** From the request to the first step that computed it. */
  readonly queueMs: number;
  /** From the request to the first token. */
  readonly firstTokenMs: number;
  /** From the first token to the last. */
  readonly decodeMs: number;
  /** Tokens that prompt lookup had computed before they were sampled. */
  readonly proposedTokens: number;
  /** How many of these were then sampled. */
  readonly acceptedTokens: number;
}

/** "stop": an end-of-sequence token or a stop string. "length": maxTokens or the context is reached. "tool-calls": it calls. */
export type FinishReason = EngineReason | "tool-calls";

export interface GenerateOutcome {
  readonly finishReason: FinishReason;
  /** At least one, where the answer calls tools. */
  readonly toolCalls?: readonly ToolCall[];
  readonly timings: Timings;
  /** Messages of the conversation left out, the oldest first. */
  readonly droppedMessages: number;
}

export interface ScoreOutcome {
  readonly ids: readonly number[];
  /** One a token; null for the first. */
  readonly logprobs: readonly (TokenLogProb | null)[];
  /** Of the ids asked for behind the last token, in their order. */
  readonly after: readonly TokenLogProb[];
}

/** What becomes of a conversation that outgrew the context. */
export type Overflow = "drop" | "error";

/** What a prompt is made of. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Default: the adapter's, or the model's. */
  readonly style: ChatStyle | undefined;
  readonly calling: Calling;
}

/** Requests by type, and what each answers with. */
export interface Calls {
  load: { params: LoadSettings; result: ModelInfo };
  generate: { params: { prompt: Prompt; options: GenerateOptions }; result: GenerateOutcome };
  chat: {
    params: Conversation & { overflow: Overflow; options: GenerateOptions };
    result: GenerateOutcome;
  };
  countTokens: { params: Conversation & { adapter?: string | undefined }; result: number };
  score: {
    params: {
      prompt: Prompt;
      first: number;
      after: readonly number[];
      top: number;
      adapter?: string | undefined;
      wantLogits: boolean;
      request: RequestOptions;
    };
    result: ScoreOutcome;
  };
  embed: {
    params: { prompt: Prompt; adapter?: string | undefined; request: RequestOptions };
    result: Float32Array;
  };
  encode: { params: { text: string; specials: boolean }; result: number[] };
  encodePrompt: { params: { prompt: Prompt }; result: number[] };
  decode: { params: { ids: readonly number[] }; result: string };
  tokenBytes: { params: { ids: readonly number[] }; result: Uint8Array[] };
  addAdapter: { params: { name: string; path: string }; result: ChatStyle };
  removeAdapter: { params: { name: string }; result: null };
  stats: { params: null; result: EngineStats };
  tune: { params: TuneSettings; result: TuneResult };
  tuneAdapter: { params: TuneAdapterSettings; result: TunedAdapter };
  dispose: { params: null; result: null };
}

export type CallType = keyof Calls;

export type ToWorker =
  | { [T in CallType]: { type: T; id: number; params: Calls[T]["params"]; abort: Int32Array | null } }[CallType]
  | { type: "cancel"; id: number };

/** What happens before a call's answer. */
export type CallEvent =
  | { kind: "prompt"; tokens: number }
  | { kind: "pieces"; pieces: readonly Piece[] }
  | { kind: "progress"; progress: LoadProgress }
  | { kind: "note"; text: string }
  | { kind: "logits"; position: number; logits: Float32Array }
  | { kind: "tune"; event: TuneEvent };

export type FromWorker =
  | { type: "event"; id: number; event: CallEvent }
  | { type: "result"; id: number; result: unknown }
  | { type: "error"; id: number; error: WireError | { abort: true } };

/** A GemmaError; `stack`, where it happened, only with GEMMA_DEBUG. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly stack?: string;
}
