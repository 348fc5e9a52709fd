// Loading and running models

export {
  type AnswerOptions,
  type EmbedOptions,
  Gemma,
  type GenerateCallOptions,
  type LoadOptions,
  type ScoreOptions,
} from "./runtime/gemma.js";
export type { LoadProgress, LoadSettings, ModelInfo } from "./runtime/protocol.js";

// Writing models: adapters merged into their bases, and models that have learned nothing

export { type NewModelOptions, writeNewModel } from "./load/new-model.js";
export { type MergeOptions, type MergeResult, mergeAdapter } from "./runtime/merge-adapter.js";
export { type TrainVocabularyOptions, trainVocabulary } from "./tokenizer/train-vocabulary.js";
export type { Vocabulary } from "./tokenizer/vocabulary.js";

// Generations, conversations and scores

export type { ChatMessage, ChatStyle, Tool, ToolCall, ToolChoice } from "./engine/chat.js";
export type { Piece } from "./engine/generate-job.js";
export type { TokenLogProb } from "./engine/job.js";
export type { GenerateOptions, RequestOptions, SamplingOptions } from "./engine/options.js";
export type { EngineStats, PageStats } from "./engine/stats.js";
export type { Chat, ChatOptions } from "./runtime/chat.js";
export type { GenerateResult, Generation, OnNote } from "./runtime/generation.js";
export type { FinishReason, GenerateOutcome, Overflow, ScoreOutcome, Timings } from "./runtime/protocol.js";

// Prompts of typed segments: text is never searched for control tokens

export type { Prompt } from "./runtime/protocol.js";
export { control, type Segment, text } from "./tokenizer/prompt.js";

// Evaluation, beside gemma-ts/eval: a loaded model and a folder of data as it takes them

export { DataFolder, type DataFolderOptions } from "./load/data-folder.js";
export { GemmaLanguageModel } from "./runtime/language-model.js";

// Tuning

export { type Dataset, resumeTuning, type TuneCallOptions, type TuneRunOptions, tune } from "./runtime/tune.js";
export type { Tuning } from "./runtime/tuning.js";
export type { DataRow } from "./tune/data/source.js";
export type { TuneOptions } from "./tune/run/config.js";
export type * from "./tune/run/events.js";
// The tuning report, beside gemma-ts/eval: a loaded model as its two sides, examples, and judgements of answers

export { guessLanguage, type KnownLanguage } from "./responsible/language.js";
export { isRefusal } from "./responsible/refusal.js";
export { instructionJudgements, refusalJudgement } from "./runtime/answer-judgements.js";
export { GemmaSubject, heldOutItems, type PieceExample, type SubjectOptions } from "./runtime/tuning-subject.js";
export { fileSource } from "./tune/data/file-source.js";
export { type Examples, type ReadOptions, readExamples } from "./tune/data/read-examples.js";

// Models and backends

export type { Activations, BackendInfo, BackendName } from "./backend/backend.js";
export type { KvDtype } from "./backend/kv.js";
export type { GemmaConfig, LayerType } from "./model/config.js";
export type { StoredWeights } from "./model/stored-weights.js";
export * as variants from "./model/variants.js";

// Errors

export { ERROR_CODES, type ErrorCode, GemmaError } from "./base/errors.js";
