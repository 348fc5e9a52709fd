import type { Answer, Message, SequenceLoss, TuningSubject } from "../../src/eval/tuning/subject.js";
import { FakeLanguageModel } from "../../src/lm/fake.js";

export interface FakeSubjectOptions {
  readonly seed: number;
  readonly answer?: (question: string) => Answer;
  /** Of an example that is a text. */
  readonly loss?: (example: string) => readonly SequenceLoss[];
}

/** A subject whose answers and losses a test writes down; it counts what it is asked. */
export class FakeSubject extends FakeLanguageModel implements TuningSubject<string> {
  readonly identity: string;
  asked = 0;

  constructor(private readonly given: FakeSubjectOptions) {
    super({ seed: given.seed });
    this.identity = `fake ${given.seed}`;
  }

  async answer(
    messages: readonly Message[],
    { signal }: { readonly maxTokens: number; readonly signal?: AbortSignal },
  ) {
    signal?.throwIfAborted();
    this.asked++;
    return this.given.answer?.(messages.at(-1)!.content) ?? { text: "", isEnded: true };
  }

  async loss(example: string) {
    this.asked++;
    return this.given.loss?.(example) ?? [{ nats: example.length, tokens: example.length }];
  }
}
