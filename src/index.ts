// Loading and running models

// Models and backends
export type { Activations, BackendInfo, BackendName } from "./backend/backend.js";
export type { KvDtype } from "./backend/kv.js";
// Errors
export { ERROR_CODES, type ErrorCode, GemmaError } from "./base/errors.js";
export type { ChatMessage, ChatStyle } from "./engine/chat.js";
export type { FinishReason } from "./engine/generate-job.js";
export type { TokenLogProb } from "./engine/job.js";
export type { GenerateOptions, SamplingOptions } from "./engine/options.js";
export type { GemmaConfig, LayerType } from "./model/config.js";
export * as variants from "./model/variants.js";
export type { Chat, ChatOptions } from "./runtime/chat.js";
export { Gemma, type GenerateCallOptions, type LoadOptions, type ScoreOptions } from "./runtime/gemma.js";
export type { GenerateResult, Generation, OnNote } from "./runtime/generation.js";
export type {
  GenerateOutcome,
  LoadProgress,
  LoadSettings,
  ModelInfo,
  Prompt,
  ScoreOutcome,
  Timings,
} from "./runtime/protocol.js";
// Prompts of typed segments: text is never searched for control tokens
export { control, type Segment, text } from "./tokenizer/prompt.js";
