import type { AnswerOptions } from "../../runtime/gemma.js";

const NAMES = [
  "adapter",
  "temperature",
  "topK",
  "topP",
  "minP",
  "repetitionPenalty",
  "presencePenalty",
  "frequencyPenalty",
  "logitBias",
  "seed",
  "maxTokens",
  "promptLookup",
  "style",
  "tenant",
  "priority",
  "deadlineMs",
  "cacheSalt",
] as const satisfies readonly (keyof AnswerOptions)[];

/** Options of `gemma.answer` that a model has, and that a call may replace. */
export type ChatGemmaSettings = Pick<AnswerOptions, (typeof NAMES)[number]>;

/** The settings among other options. */
export function settingsOf(options: Readonly<Record<string, unknown>>): ChatGemmaSettings {
  return Object.fromEntries(NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}
