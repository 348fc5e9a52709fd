// The shapes of the Prompt API, by their names in the draft (webmachinelearning.github.io/prompt-api).

export type Availability = "unavailable" | "downloadable" | "downloading" | "available";

export type LanguageModelMessageType = "text" | "image" | "audio" | "tool-call" | "tool-response";

export interface LanguageModelMessageContent {
  readonly type: LanguageModelMessageType;
  readonly value: unknown;
}

export interface LanguageModelMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string | readonly LanguageModelMessageContent[];
  readonly prefix?: boolean;
}

/** A string is a user's message. */
export type LanguageModelPrompt = string | readonly LanguageModelMessage[];

export interface LanguageModelExpected {
  readonly type: LanguageModelMessageType;
  readonly languages?: readonly string[];
}

export interface LanguageModelTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments, an object. */
  readonly inputSchema: object;
  // biome-ignore lint/suspicious/noExplicitAny: what the schema says
  execute(args: any): Promise<string>;
}

export type LanguageModelSamplingMode = "most-predictable" | "predictable" | "balanced" | "creative" | "most-creative";

export interface LanguageModelCreateCoreOptions {
  readonly topK?: number;
  readonly temperature?: number;
  readonly samplingMode?: LanguageModelSamplingMode;
  readonly expectedInputs?: readonly LanguageModelExpected[];
  readonly expectedOutputs?: readonly LanguageModelExpected[];
  readonly tools?: readonly LanguageModelTool[];
}

export interface LanguageModelCreateOptions extends LanguageModelCreateCoreOptions {
  /** Ends the session, too. */
  readonly signal?: AbortSignal;
  /** Gets a target of "downloadprogress" events, whose `loaded` goes from 0 to 1. */
  readonly monitor?: (monitor: EventTarget) => void;
  readonly initialPrompts?: readonly LanguageModelMessage[];
}

export interface LanguageModelPromptOptions {
  /** A JSON schema, or a regular expression without flags that change what it matches. */
  readonly responseConstraint?: object;
  /** The constraint is never a part of the prompt here. */
  readonly omitResponseConstraintInput?: boolean;
  readonly signal?: AbortSignal;
}

export interface LanguageModelParams {
  readonly defaultTopK: number;
  readonly maxTopK: number;
  readonly defaultTemperature: number;
  readonly maxTemperature: number;
}
