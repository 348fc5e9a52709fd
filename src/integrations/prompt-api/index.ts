// Gemma in the shape of the browser's Prompt API

export { createLanguageModel, type LanguageModel } from "./language-model.js";
export type { PromptApiSource } from "./load.js";
export type { LanguageModelSession, SessionDefaults } from "./session.js";
export type {
  Availability,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
  LanguageModelExpected,
  LanguageModelMessage,
  LanguageModelMessageContent,
  LanguageModelMessageType,
  LanguageModelParams,
  LanguageModelPrompt,
  LanguageModelPromptOptions,
  LanguageModelSamplingMode,
  LanguageModelTool,
} from "./types.js";
