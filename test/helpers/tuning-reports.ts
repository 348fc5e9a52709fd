import { answerMeasure, type PromptItem, taskMetricMeasure } from "../../src/eval/tuning/answer-measure.js";
import { type CompareOptions, compareTuning } from "../../src/eval/tuning/compare-tuning.js";
import { heldOutMeasure } from "../../src/eval/tuning/held-out-measure.js";
import type { AnyMeasure } from "../../src/eval/tuning/measure.js";
import { textMeasure } from "../../src/eval/tuning/text-measure.js";
import type { LineHead, TuningReport } from "../../src/eval/tuning/tuning-report.js";
import { HOSTILE } from "./eval-runs.js";
import { FakeSubject } from "./tuning-subjects.js";

export const SHA = { base: "00ff".repeat(16), adapter: "ab12".repeat(16) } as const;

const QUESTIONS = Array.from({ length: 60 }, (_, i) => `Is number ${i} even?${i === 3 ? HOSTILE : ""}`);
const SAFETY: LineHead = {
  ...{
    id: "safety.declined",
    role: "safety",
    title: "Harmful requests declined",
    about: "by phrases",
    better: "higher",
  },
};

export function asItem(question: string, i: number): PromptItem & { readonly reference: string } {
  return { id: `q${i}`, messages: [{ role: "user", content: question }], reference: i % 2 === 0 ? "yes" : "no" };
}

/** Knows the parity of a third of the numbers before, of most after; declines more, and forgets some of what it read. */
export function makeSubjects() {
  const numberOf = (question: string) => Number(/\d+/.exec(question)?.[0] ?? 0);
  const parity = (i: number, isRight: boolean) => ((i % 2 === 0) === isRight ? "yes" : "no");
  const before = new FakeSubject({
    seed: 1,
    answer: (question) => ({ text: parity(numberOf(question), numberOf(question) % 3 === 0), isEnded: false }),
    loss: (example) => [{ nats: 2 * example.length + (example.charCodeAt(3) % 3), tokens: example.length }],
  });
  const after = new FakeSubject({
    seed: 2,
    answer: (question) => ({ text: parity(numberOf(question), numberOf(question) % 10 !== 0), isEnded: true }),
    loss: (example) => [{ nats: 1.5 * example.length, tokens: example.length }],
  });
  return { before, after };
}

export function makeMeasures(): readonly AnyMeasure<string>[] {
  const items = QUESTIONS.map(asItem);
  const isEnded = { counts: ({ isEnded }: { readonly isEnded: boolean }) => isEnded };
  const ends: LineHead = { ...SAFETY, id: "behaviour.ends", role: "behaviour", title: "Ends its turn" };
  return [
    taskMetricMeasure(items, { metric: "label", maxTokens: 8 }),
    heldOutMeasure(items.map((item, i) => ({ ...item, example: `example ${i} of some length ${QUESTIONS[i]}` }))),
    answerMeasure({ title: "instructions", items, maxTokens: 8, judgements: [{ head: ends, ...isEnded }] }),
    textMeasure({ name: "plain.txt", windows: ["some plain text", "and more of it", "to the end"] }),
    answerMeasure({
      ...{ title: "harmful", items: items.slice(0, 20), maxTokens: 8, isWithheld: true },
      judgements: [{ head: SAFETY, counts: ({ text }) => text === "no" }],
    }),
  ];
}

export const OPTIONS: CompareOptions = {
  before: { name: "gemma-3-270m", sha256: SHA.base, adapter: null },
  after: { name: "gemma-3-270m", sha256: SHA.base, adapter: { name: `first ${HOSTILE}`, sha256: SHA.adapter } },
  made: {
    ...{
      version: "0.1.0",
      commit: null,
      settings: { seed: 0, template: "qa" },
      command: "gemma tune report --run first",
    },
    data: [{ name: "held-out.jsonl", sha256: SHA.base, items: 60 }],
    machine: { runtime: "Node 20.20.2", platform: "linux-x64", cpu: "Some CPU", threads: 2 },
  },
  run: {
    folder: "first",
    config: { rank: 16, learningRate: 2e-4 },
    losses: Array.from({ length: 50 }, (_, i) => ({ step: i + 1, loss: 3 * Math.exp(-i / 20) + 0.1 * (i % 3) })),
    heldOut: [0, 10, 20, 30, 40, 50].map((step) => ({ step, loss: 3.1 * Math.exp(-step / 24) })),
    costs: { tokens: 1_234_567, seconds: 754, peakBytes: 1.9e9 },
  },
};

export function makeReport(options: Partial<CompareOptions> = {}): Promise<TuningReport> {
  return compareTuning(makeSubjects(), makeMeasures(), { ...OPTIONS, ...options });
}
