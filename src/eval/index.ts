// Benchmarks for any language model: nothing here needs Node. docs/evaluation.md has a whole program.

// Models

export type {
  Completion,
  CompletionOptions,
  Continuation,
  ContinuationScore,
  LanguageModel,
} from "../lm/language-model.js";
export { type EndpointOptions, OpenAiEndpoint } from "../lm/openai-endpoint.js";

// Tasks, and what it takes to write one

export { finalAnswer, lastBoxed } from "./answers/final-answer.js";
export { lastNumber, plainNumber } from "./answers/number.js";
export { plainText } from "./answers/plain-text.js";
export { sameMathAnswer } from "./answers/same-math-answer.js";
export { letterChoices, listed, type Question, readQuestion, solved, textChoices } from "./choices.js";
export { findTasks } from "./find-tasks.js";
export type { HubPlace, HubRows, HubTable } from "./hub.js";
export { field, type Row } from "./row.js";
export type { AnswerTask, Choice, ChoiceTask, CodeTask, RunProgram, Task } from "./task.js";
export { TASKS } from "./tasks/index.js";

// Data

export type { BadLine, DataFile, DataSource } from "./data.js";
export { MemoryData } from "./memory-data.js";

// Runs

export { fitPlan } from "./fit.js";
export type { Instruments } from "./measure.js";
export { type PlannedItem, type PlanOptions, planTasks, type TaskPlan } from "./plan.js";
export { evaluate, type RunOptions, type RunProgress, recordKey } from "./run.js";
export type { SamplingOptions } from "./sampling.js";

// Results

export type {
  AnswerRecord,
  AnswerSample,
  BenchmarkResult,
  ChoiceRecord,
  GroupResult,
  ItemRecord,
  Machine,
  Metric,
  RunData,
  RunHeader,
  RunResults,
  RunTask,
  TaskResult,
} from "./results.js";
export { type SummaryOptions, summarise } from "./summarise.js";

// Statistics

export { holm, pairedRatioInterval, pairedShareInterval, signFlipTest } from "./paired-stats.js";
export { passAtK } from "./pass-at-k.js";
export {
  type BootstrapOptions,
  bootstrapInterval,
  type Interval,
  type McNemar,
  mcNemar,
  mean,
  type PairedDifference,
  pairedDifference,
  standardError,
} from "./stats.js";

// What tuning did: a model before and after, line by line. docs/tuning-report.md has a whole program.

export { type TuningPageOptions, tuningPage } from "./report/tuning-page.js";
export {
  answerMeasure,
  type Judgement,
  type PromptItem,
  type PromptSet,
  type TaskMetricOptions,
  taskMetricMeasure,
} from "./tuning/answer-measure.js";
export type { AnswerMetric } from "./tuning/answer-metric.js";
export { benchmarkMeasure } from "./tuning/benchmark-measure.js";
export { type CompareOptions, compareTuning, type Observation, type TuningProgress } from "./tuning/compare-tuning.js";
export { type HeldOutItem, heldOutMeasure } from "./tuning/held-out-measure.js";
export type { DraftLine, Measure, Measured, Observed, TuningQuestion } from "./tuning/measure.js";
export type { Answer, Message, SequenceLoss, Side, Subjects, TuningSubject } from "./tuning/subject.js";
export { type PlainText, textMeasure, textWindows } from "./tuning/text-measure.js";
export type {
  AnswerPair,
  ItemSide,
  LineHead,
  ReportedModel,
  ReportItem,
  ReportLine,
  ReportOrigin,
  Role,
  StepLoss,
  TrainingRun,
  TuningReport,
} from "./tuning/tuning-report.js";
export { type FailOn, gainOf, regressions } from "./tuning/verdict.js";

// The figures that the Gemma page publishes

export {
  OTHER_METHOD,
  PUBLISHED,
  PUBLISHED_MODELS,
  PUBLISHED_SOURCES,
  type PublishedBenchmark,
  type PublishedModel,
  type PublishedName,
} from "./published.js";

// Reports

export { readHeader, readRecord, readResults } from "./read-run.js";
export { type Comparison, compareRecords } from "./report/compare.js";
export { reportMarkdown } from "./report/markdown.js";
export { buildReport, type Report, type Run } from "./report/report.js";
