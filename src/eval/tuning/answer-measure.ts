import { type AnswerMetric, isRight, METRIC_TEXT } from "./answer-metric.js";
import { fewShotPrompt, fewShotStops, type Shot } from "./few-shot.js";
import { type ShareItem, shareLine } from "./lines.js";
import type { Measure, Observed, TuningQuestion } from "./measure.js";
import type { Answer, Message } from "./subject.js";
import type { AnswerPair, LineHead } from "./tuning-report.js";

export interface PromptItem {
  readonly id: string;
  /** The last one is the user's. */
  readonly messages: readonly Message[];
  readonly reference?: string;
  /** Language of the question, where the data say it, e.g. "de". */
  readonly lang?: string;
}

/** A line that is made of answers. */
export interface Judgement {
  readonly head: LineHead;
  /** Whether an answer counts. null: the item is none of this line's. */
  counts(answer: Answer, item: PromptItem): boolean | null;
}

/** Prompts that both models answer in the template of tuning, and what is judged of the answers. */
export interface PromptSet {
  readonly title: string;
  readonly items: readonly PromptItem[];
  readonly maxTokens: number;
  readonly judgements: readonly Judgement[];
  /** Whether questions and answers stay out of the report, which has the verdicts alone then: of harmful requests. */
  readonly isWithheld?: boolean;
}

export function answerMeasure<E>(set: PromptSet): Measure<E, Answer> {
  const { title, items, maxTokens, judgements, isWithheld = false } = set;
  return {
    title,
    ids: items.map(({ id }) => id),
    question: (place) => templateQuestion(items[place]!.messages, maxTokens),
    lines(observed) {
      const lines = judgements.map(({ head, counts }) => {
        const judged = observed.flatMap((pair, i) => shareItem(items[i]!, pair, counts) ?? []);
        return shareLine(head, isWithheld ? judged.map(withoutTexts) : judged);
      });
      const answers = isWithheld ? [] : observed.map((pair, i) => answerPair(items[i]!, pair));
      return { lines: lines.filter((line) => line !== null), answers };
    },
  };
}

export interface TaskMetricOptions {
  readonly metric: AnswerMetric;
  readonly maxTokens: number;
  /** Worked examples for the model before tuning, which is then asked in plain text. Default: none; both get the template. */
  readonly shots?: readonly Shot[];
}

/**
 * Right answers to held-out questions. A pre-trained model cannot follow the template, so with `shots` it is asked by worked examples:
 * what tuning is worth is the difference from the best that the model could be asked before.
 */
export function taskMetricMeasure<E>(
  items: readonly (PromptItem & { readonly reference: string })[],
  { metric, maxTokens, shots }: TaskMetricOptions,
): Measure<E, Answer> {
  const references = [...items.map(({ reference }) => reference), ...(shots ?? []).map(({ answer }) => answer)];
  const labels = [...new Set(references)];
  const stop = fewShotStops(references);
  const form =
    shots === undefined
      ? "both in the template of tuning"
      : `before: ${shots.length}-shot in plain text; after: 0-shot in the template of tuning`;
  const judgement: Judgement = {
    head: {
      ...{ id: `target.${metric}${shots === undefined ? "" : ".few-shot"}`, role: "target", better: "higher" },
      title: shots === undefined ? "Held-out task" : `Held-out task, from ${shots.length}-shot`,
      about: `${METRIC_TEXT[metric]}; ${form}`,
    },
    counts: ({ text }, { reference = "" }) => isRight(metric, text, reference, labels),
  };
  const measure = answerMeasure<E>({ title: "held-out task", items, maxTokens, judgements: [judgement] });
  if (shots === undefined) return measure;
  return {
    ...measure,
    question(place, side) {
      const { messages } = items[place]!;
      if (side === "after") return templateQuestion(messages, maxTokens);
      return plainQuestion(fewShotPrompt(shots, messages), stop, maxTokens);
    },
    lines: (observed) => ({ lines: measure.lines(observed).lines }), // the answers to one prompt are shown elsewhere
  };
}

function templateQuestion<E>(messages: readonly Message[], maxTokens: number): TuningQuestion<E, Answer> {
  return {
    key: ["answer", messages, maxTokens],
    ask: (model, signal) => model.answer(messages, { maxTokens, signal }),
  };
}

function plainQuestion<E>(prompt: string, stop: readonly string[], maxTokens: number): TuningQuestion<E, Answer> {
  return {
    key: ["plain", prompt, stop, maxTokens],
    async ask(model, signal) {
      const [completion] = await model.generate([prompt], { maxTokens, stop, signal });
      return { text: completion!.text, isEnded: completion!.finishReason === "stop" };
    },
  };
}

function shareItem(item: PromptItem, pair: Observed<Answer>, counts: Judgement["counts"]): ShareItem | null {
  const before = counts(pair.before, item);
  const after = counts(pair.after, item);
  if (before === null || after === null) return null;
  return {
    ...{ id: item.id, question: questionOf(item) },
    ...(item.reference === undefined ? {} : { reference: item.reference }),
    before: { counts: before, text: pair.before.text },
    after: { counts: after, text: pair.after.text },
  };
}

function withoutTexts({ id, before, after }: ShareItem): ShareItem {
  return { id, before: { counts: before.counts }, after: { counts: after.counts } };
}

function answerPair(item: PromptItem, { before, after }: Observed<Answer>): AnswerPair {
  const { id, reference = null } = item;
  return { id, question: questionOf(item), reference, before: before.text, after: after.text };
}

function questionOf({ messages }: PromptItem): string {
  const [last] = messages.slice(-1);
  return messages.length === 1
    ? last!.content
    : messages.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
}
