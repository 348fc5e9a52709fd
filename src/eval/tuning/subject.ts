import type { LanguageModel } from "../../lm/language-model.js";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Answer {
  readonly text: string;
  /** Whether the model ended its turn by itself, rather than being cut at the most tokens. */
  readonly isEnded: boolean;
}

/** Of one sequence: the sum of -log p over the tokens that are learned of it, and how many they are. */
export interface SequenceLoss {
  readonly nats: number;
  readonly tokens: number;
}

/**
 * One of the two models of a comparison. `E` is an example as the data's own encoder takes it; the comparison hands it through.
 */
export interface TuningSubject<E> extends LanguageModel {
  /** Everything that its answers depend on, as text: weights, adapter, backend, settings. Answers are kept under it. */
  readonly identity: string;
  /** Answers a conversation whose last message is the user's, in the template of tuning, always by the most likely token. */
  answer(
    messages: readonly Message[],
    options: { readonly maxTokens: number; readonly signal?: AbortSignal },
  ): Promise<Answer>;
  /** One sequence, or two of a preference: the chosen and the rejected one. A sequence of no learned token has 0 tokens. */
  loss(example: E, options: { readonly signal?: AbortSignal }): Promise<readonly SequenceLoss[]>;
}

export type Side = "before" | "after";

export interface Subjects<E> {
  readonly before: TuningSubject<E>;
  readonly after: TuningSubject<E>;
}
