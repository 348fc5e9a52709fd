import { GemmaError } from "../base/errors.js";
import type { HeldOutItem } from "../eval/tuning/held-out-measure.js";
import type { Answer, Message, SequenceLoss, TuningSubject } from "../eval/tuning/subject.js";
import type { Example, Part } from "../tune/data/example.js";
import { exampleSequences, learnedRuns, type Piece, type TuneTemplate } from "../tune/data/pieces.js";
import type { Gemma } from "./gemma.js";
import { GemmaLanguageModel } from "./language-model.js";

/** An example's sequences, as tuning writes them. */
export type PieceExample = readonly (readonly Piece[])[];

export interface SubjectOptions {
  /** Name of an adapter loaded with the model. Default: none. */
  readonly adapter?: string;
  readonly template: TuneTemplate;
  /** What else its answers depend on: the weights' hashes, the backend, settings; see TuningSubject. */
  readonly identity: string;
}

/** A loaded model, with an adapter or without one, as one of the two of a comparison: both may be of one load. */
export class GemmaSubject extends GemmaLanguageModel implements TuningSubject<PieceExample> {
  readonly identity: string;
  private readonly template: TuneTemplate;
  private readonly adapter: { readonly adapter?: string };

  constructor(
    private readonly model: Gemma,
    { adapter, template, identity }: SubjectOptions,
  ) {
    const chosen = adapter === undefined ? {} : { adapter };
    super(model, chosen);
    this.identity = `${identity}, adapter ${adapter ?? "none"}, template ${template}`;
    this.template = template;
    this.adapter = chosen;
  }

  async answer(
    messages: readonly Message[],
    { maxTokens, signal }: { readonly maxTokens: number; readonly signal?: AbortSignal },
  ): Promise<Answer> {
    // Whatever generation_config.json says: before and after are asked alike.
    const options = { maxTokens, temperature: 0, repetitionPenalty: 1, ...this.adapter, ...(signal ? { signal } : {}) };
    const generation =
      this.template === "none"
        ? this.model.generate(messages.map(({ content }) => content).join(""), options)
        : this.model.answer(messages, { ...options, style: this.template, overflow: "error" });
    const { text, finishReason } = await generation.result;
    return { text, isEnded: finishReason === "stop" };
  }

  loss(example: PieceExample, { signal }: { readonly signal?: AbortSignal }): Promise<readonly SequenceLoss[]> {
    return Promise.all(example.map((pieces) => this.sequenceLoss(pieces, signal)));
  }

  /** What does not fit the context has no loss. */
  private async sequenceLoss(pieces: readonly Piece[], signal: AbortSignal | undefined): Promise<SequenceLoss> {
    const runs = await Promise.all(
      learnedRuns(pieces).map(async ({ isLearned, segments }, i) => {
        const ids = await this.model.encodePrompt(segments);
        const begins = i > 0 && ids[0] === this.model.info.config.bosTokenId; // each prompt is given one
        return { isLearned, ids: begins ? ids.slice(1) : ids };
      }),
    );
    const ids = runs.flatMap((run) => run.ids).slice(0, this.contextLength);
    const isTarget = runs.flatMap((run, i) => run.ids.map((_, at) => run.isLearned && (i > 0 || at > 0)));
    const last = isTarget.lastIndexOf(true, ids.length - 1);
    const first = isTarget.indexOf(true);
    if (first < 1 || first > last) return { nats: 0, tokens: 0 };
    const options = { first: first - 1, ...this.adapter, ...(signal ? { signal } : {}) };
    const { logprobs } = await this.model.score({ ids: ids.slice(0, last + 1) }, options);
    let [nats, tokens] = [0, 0];
    for (let at = first; at <= last; at++) {
      if (!isTarget[at]) continue;
      nats -= logprobs[at]!.logprob;
      tokens++;
    }
    if (Number.isFinite(nats)) return { nats, tokens };
    throw new GemmaError("ERR_BACKEND", `loss: log-probabilities must be finite, got ${nats} nats in all`);
  }
}

/** Held-out examples as a comparison takes them. @throws ERR_USAGE for messages without a template */
export function heldOutItems(
  examples: readonly Example[],
  template: TuneTemplate,
): readonly HeldOutItem<PieceExample>[] {
  return examples.map((example) => {
    const [messages, reference] = askedAndAnswered(example);
    return { id: placeOf(example.at), messages, reference, example: exampleSequences(example, template) };
  });
}

/** The conversation up to its last answer, and that answer. */
function askedAndAnswered(example: Example): [readonly Message[], string | null] {
  switch (example.kind) {
    case "text":
      return [[], null];
    case "chat":
      return splitLast(example.turns);
    case "completion":
      return splitLast([...turnsOf(example.prompt, "user"), ...turnsOf(example.completion, "assistant")]);
    case "preference":
      return splitLast([...turnsOf(example.prompt, "user"), ...turnsOf(example.chosen, "assistant")]);
    default:
      return example satisfies never;
  }
}

function splitLast(turns: readonly Message[]): [readonly Message[], string | null] {
  const messages = turns.slice(0, -1).map(({ role, content }) => ({ role, content }));
  return [messages, turns.at(-1)!.content];
}

function turnsOf(part: Part, role: Message["role"]): readonly Message[] {
  return typeof part === "string" ? [{ role, content: part }] : part;
}

/** Where a file lies is no part of what was measured. */
function placeOf(at: string): string {
  return at.split(/[\\/]/).at(-1)!;
}
