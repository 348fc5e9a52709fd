import { type LossItem, lossLine, shareLine } from "./lines.js";
import type { DraftLine, Measure, Observed } from "./measure.js";
import type { Message, SequenceLoss } from "./subject.js";
import type { LineHead } from "./tuning-report.js";

/** An example that was not learned from. */
export interface HeldOutItem<E> {
  readonly id: string;
  /** Up to the last answer; empty for a plain text. */
  readonly messages: readonly Message[];
  /** The last answer; null where there is none to compare with. */
  readonly reference: string | null;
  /** As `TuningSubject.loss` takes it. */
  readonly example: E;
}

/** Losses of held-out examples, of their learned tokens alone; of preferences also which answer is the likelier one. */
export function heldOutMeasure<E>(items: readonly HeldOutItem<E>[]): Measure<E, readonly SequenceLoss[]> {
  return {
    title: "held-out loss",
    ids: items.map(({ id }) => id),
    question: (place) => ({
      key: ["loss", items[place]!.example],
      ask: (model, signal) => model.loss(items[place]!.example, { signal }),
    }),
    lines(observed) {
      const losses = observed.map(({ before, after }, i): LossItem => {
        return { ...textsOf(items[i]!), before: before[0]!, after: after[0]! };
      });
      const loss = lossLine(
        {
          ...{ id: "target.loss", role: "target", title: "Held-out loss" },
          about: "mean -log p a token of held-out answers, in nats",
        },
        losses,
      );
      const empty = losses.filter(({ before, after }) => before.tokens === 0 || after.tokens === 0).length;
      const preferred = preferenceLine(items, observed);
      return {
        lines: [preferred, loss].filter((line) => line !== null),
        notes: empty === 0 ? [] : [`Held-out loss: ${empty} examples have no learned token within the context.`],
      };
    },
  };
}

function preferenceLine<E>(
  items: readonly HeldOutItem<E>[],
  observed: readonly Observed<readonly SequenceLoss[]>[],
): DraftLine | null {
  const pairs = observed.flatMap(({ before, after }, i) => {
    if (before.length !== 2 || after.length !== 2) return [];
    const counts = ([chosen, rejected]: readonly SequenceLoss[]) => ({ counts: chosen!.nats < rejected!.nats });
    return [{ ...textsOf(items[i]!), before: counts(before), after: counts(after) }];
  });
  const head: LineHead = {
    ...{ id: "target.preferred", role: "target", title: "Prefers the chosen answer", better: "higher" },
    about: "share of held-out pairs whose chosen answer is more likely than the rejected one",
  };
  return shareLine(head, pairs);
}

function textsOf<E>({ id, messages, reference }: HeldOutItem<E>) {
  const question = messages.findLast(({ role }) => role === "user")?.content;
  return { id, ...(question === undefined ? {} : { question }), ...(reference === null ? {} : { reference }) };
}
