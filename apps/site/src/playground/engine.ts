/** Who said what. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** How answers are chosen. */
export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly maxTokens: number;
  /** The one that was used: an answer can be made again. */
  readonly seed: number;
  readonly logprobs: boolean;
}

/** A token that may have come instead. */
export interface Alternative {
  readonly id: number | null;
  readonly text: string;
  readonly probability: number;
}

export interface Token {
  readonly text: string;
  /** null: a server does not tell. */
  readonly id: number | null;
  /** By the model, before sampling options; null where it was not recorded. */
  readonly probability: number | null;
  readonly alternatives: readonly Alternative[];
}

export interface Measures {
  readonly tokens: number;
  readonly firstTokenMs: number;
  /** From the first token to the last; 0 where there was one alone. */
  readonly decodeMs: number;
}

export interface Answer {
  /** "stopped": the reader has ended it. */
  readonly finish: "stop" | "length" | "stopped";
  readonly tokens: readonly Token[];
  readonly measures: Measures;
}

export interface AnswerOptions {
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  /** Text as it comes. */
  readonly onText: (text: string) => void;
}

/** How the code that makes a conversation again gets its model. */
export type Origin =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "file"; readonly name: string }
  | { readonly kind: "server"; readonly url: string; readonly model: string };

/** A model as the playground knows it, wherever it computes. */
export interface Engine {
  readonly name: string;
  readonly origin: Origin;
  /** Whether it was only pre-trained: it continues text and was never taught to answer. */
  readonly isPretrained: boolean;
  /** How it answers best. */
  readonly defaults: Readonly<Partial<Pick<Sampling, "temperature" | "topK" | "topP" | "repetitionPenalty">>>;
  /** Lines for people: what it runs on, how much fits. */
  readonly facts: readonly { readonly name: "backend" | "context"; readonly value: string }[];
  /** An answer that the signal ends is what there is of it. @throws what went wrong */
  answer(messages: readonly Message[], options: AnswerOptions): Promise<Answer>;
  /** Bytes that the page and its workers hold; null where the browser does not tell. */
  memoryBytes(): Promise<number | null>;
  dispose(): Promise<void>;
}

/** An error with a text for the reader, and what to do next. */
export class PlaygroundError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}
