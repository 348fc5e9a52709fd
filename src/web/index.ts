// gemma-ts in a page: the same facade as in Node, its engine in a Web Worker

export type {
  AnswerOptions,
  EmbedOptions,
  GenerateCallOptions,
  ScoreOptions,
} from "../runtime/gemma-model.js";
export type { LoadProgress, ModelInfo } from "../runtime/protocol.js";
export { type AdapterSource, Gemma, type LoadOptions, type TuneCallOptions, type TunedFiles } from "./gemma.js";
export type { ModelSource } from "./model-source.js";
export type { WorkerSource } from "./port.js";

// Before a download: what it costs, what is offered, what this browser can do

export { type BrowserFeatures, browserFeatures, type WebGpuFeatures } from "./features.js";
export { type OfferedModel, type OfferOptions, offeredModels } from "./offer.js";
export { type ModelPlan, type PlanOptions, planModel } from "./plan.js";

// What is stored

export { persistStorage, type StorageState, storageState } from "./storage/quota.js";
export { listStoredModels, removeStoredModel, type StoredFile, type StoredModel } from "./storage/stored.js";

// Generations, conversations and scores

export type { ChatMessage, ChatStyle, Tool, ToolCall, ToolChoice } from "../engine/chat.js";
export type { Piece } from "../engine/generate-job.js";
export type { TokenLogProb } from "../engine/job.js";
export type { GenerateOptions, RequestOptions, SamplingOptions } from "../engine/options.js";
export type { EngineStats, PageStats } from "../engine/stats.js";
export type { Chat, ChatOptions } from "../runtime/chat.js";
export type { GenerateResult, Generation, OnNote } from "../runtime/generation.js";
export type { FinishReason, GenerateOutcome, Overflow, ScoreOutcome, Timings } from "../runtime/protocol.js";

// Tuning in a page

export type { Tuning } from "../runtime/tuning.js";
export type { DataRow } from "../tune/data/source.js";
export type { TuneOptions } from "../tune/run/config.js";
export type { TuneEvent } from "../tune/run/events.js";

// Evaluation, beside gemma-ts/eval: a loaded model as it takes it

export { GemmaLanguageModel } from "../runtime/language-model.js";

// Prompts of typed segments: text is never searched for control tokens

export type { Prompt } from "../runtime/protocol.js";
export { control, type Segment, text } from "../tokenizer/prompt.js";

// Models and backends

export type { Activations, BackendInfo, BackendName } from "../backend/backend.js";
export type { KvDtype } from "../backend/kv.js";
export type { GemmaConfig, LayerType } from "../model/config.js";
export type { StoredWeights } from "../model/stored-weights.js";
export * as variants from "../model/variants.js";

// Errors

export { ERROR_CODES, type ErrorCode, GemmaError } from "../base/errors.js";
