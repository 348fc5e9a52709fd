import { type Instruments, measure } from "../measure.js";
import type { TaskPlan } from "../plan.js";
import type { ChoiceRecord, ItemRecord } from "../results.js";
import { shareLine } from "./lines.js";
import type { Measure, Observed } from "./measure.js";

/** A benchmark as a line of the regression set: the verdicts of its own metric, all items alike. */
export function benchmarkMeasure<E>(
  { task, items, deviations }: TaskPlan,
  instruments: Omit<Instruments, "model" | "signal">,
): Measure<E, ItemRecord> {
  const { seed, samples, temperature } = instruments;
  const settings = { task: task.name, version: task.version, seed, samples, temperature };
  return {
    title: task.title,
    ids: items.map(({ id }) => id),
    question: (place) => ({
      key: ["benchmark", settings, items[place]],
      ask: (model, signal) => measure(task, items[place]!, { ...instruments, model, signal }),
    }),
    lines(observed) {
      const about = `${task.setting}; ${task.kind === "choice" ? task.metric : "right answers"}`;
      const head = { id: task.name, role: "regression", title: task.title, about, better: "higher" } as const;
      const line = shareLine(head, observed.map(pairOf));
      return {
        lines: line === null ? [] : [line],
        notes: deviations.map((text) => `${task.title}: ${text}`),
      };
    },
  };
}

function pairOf({ before, after }: Observed<ItemRecord>) {
  return { id: before.id, ...textsOf(before), before: sideOf(before), after: sideOf(after) };
}

function textsOf(record: ItemRecord) {
  if (!("continuations" in record)) return { question: record.prompt, reference: record.answer };
  const { context, answer } = record;
  // Where choices stand in contexts of their own, those are the question.
  const question = typeof context === "string" ? context : context.join("\n");
  return { question, reference: choiceText(record, answer) };
}

function sideOf(record: ItemRecord) {
  if (!("continuations" in record)) return { counts: record.correct, text: record.response };
  // The prediction that `correct` was made of: the other one would seem to contradict it.
  const own = (record.prediction === record.answer) === record.correct ? record.prediction : record.predictionNorm;
  return { counts: record.correct, text: choiceText(record, own) };
}

function choiceText({ context, continuations }: ChoiceRecord, place: number): string {
  const text = continuations[place]!;
  return typeof context === "string" ? text.trim() : context[place]! + text;
}
