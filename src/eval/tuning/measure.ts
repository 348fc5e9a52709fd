import type { Side, TuningSubject } from "./subject.js";
import type { AnswerPair, ReportLine } from "./tuning-report.js";

/** One thing to ask a model. What comes back is plain data: it is kept as JSON. */
export interface TuningQuestion<E, O> {
  /** All that the answer depends on, beside the model. Equal keys are asked once. */
  readonly key: unknown;
  ask(subject: TuningSubject<E>, signal: AbortSignal): Promise<O>;
}

export interface Observed<O> {
  readonly before: O;
  readonly after: O;
}

/** Items that both models are asked, and the lines that are made of what they say. */
export interface Measure<E, O> {
  /** For people, e.g. `BoolQ`. */
  readonly title: string;
  readonly ids: readonly string[];
  question(place: number, side: Side): TuningQuestion<E, O>;
  /** @param observed one an item, in the order of `ids` */
  lines(observed: readonly Observed<O>[]): Measured;
}

/** A line that knows nothing of the others yet. */
export type DraftLine = Omit<ReportLine, "pHolm" | "movement">;

export interface Measured {
  readonly lines: readonly DraftLine[];
  readonly answers?: readonly AnswerPair[];
  readonly notes?: readonly string[];
}

/** A measure whose observations only it knows. */
// biome-ignore lint/suspicious/noExplicitAny: what a measure's questions give is what its own lines take
export type AnyMeasure<E> = Measure<E, any>;
