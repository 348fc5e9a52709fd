import { holm } from "../paired-stats.js";
import { sha256 } from "../sha256.js";
import { type WorkOptions, workThrough } from "../work-through.js";
import type { AnyMeasure, Measured, TuningQuestion } from "./measure.js";
import type { Side, Subjects } from "./subject.js";
import {
  type ReportedModel,
  type ReportLine,
  type ReportOrigin,
  type TrainingRun,
  TUNING_REPORT_FORMAT,
  type TuningReport,
} from "./tuning-report.js";
import { verdictText } from "./verdict.js";

/** Lines at most this likely by chance, after Holm's adjustment, have moved. */
const LEVEL = 0.05;

/** What one model said to one question, as kept between parts of a comparison. */
export interface Observation {
  /** SHA-256 of the model's identity and the question's key. */
  readonly key: string;
  readonly observed: unknown;
}

export interface TuningProgress {
  /** The measure of the question answered last. */
  readonly title: string;
  readonly side: Side;
  readonly done: number;
  readonly total: number;
  readonly questionsPerSecond: number;
  readonly remainingSeconds: number;
}

export interface CompareOptions extends WorkOptions {
  readonly before: ReportedModel;
  readonly after: ReportedModel;
  readonly made: ReportOrigin;
  readonly run?: TrainingRun | null;
  /** Sentences for the report's notes. */
  readonly notes?: readonly string[];
  /** What is known of an earlier part, by key: those questions are not asked again. */
  readonly recorded?: ReadonlyMap<string, unknown>;
  readonly onObservation?: (observation: Observation) => void;
  readonly onProgress?: (progress: TuningProgress) => void;
}

/**
 * What tuning did: asks both models everything that the measures ask, many questions at a time, and compares item by item.
 *
 * @throws what the first failing question threw; the reason of an aborted signal
 */
export async function compareTuning<E>(
  subjects: Subjects<E>,
  measures: readonly AnyMeasure<E>[],
  options: CompareOptions,
): Promise<TuningReport> {
  const asked = await askAll(subjects, measures, options);
  const measured = measures.map((measure, m): Measured => {
    const observed = measure.ids.map((_, place) => ({
      before: asked(m, place, "before"),
      after: asked(m, place, "after"),
    }));
    return measure.lines(observed);
  });
  const drafts = measured.flatMap(({ lines }) => lines);
  const adjusted = holm(drafts.map(({ p }) => p));
  const lines = drafts.map(({ items, ...line }, i): ReportLine => {
    const pHolm = adjusted[i]!;
    const isBetter = line.better === "higher" ? line.difference > 0 : line.difference < 0;
    return { ...line, pHolm, movement: pHolm > LEVEL ? "same" : isBetter ? "better" : "worse", items };
  });
  const { before, after, made, run = null, notes = [] } = options;
  return {
    ...{ format: TUNING_REPORT_FORMAT, kind: "tuning-report", before, after, verdict: verdictText(lines), lines },
    answers: measured.flatMap(({ answers = [] }) => answers),
    notes: [...new Set([...notes, ...measured.flatMap((one) => one.notes ?? [])])],
    ...{ made, run },
  };
}

interface Job<E> {
  readonly key: string;
  readonly question: TuningQuestion<E, unknown>;
  readonly title: string;
  readonly side: Side;
}

/** Asks what is not known yet, each key once. @returns what was said, by measure, place and side */
async function askAll<E>(
  subjects: Subjects<E>,
  measures: readonly AnyMeasure<E>[],
  { recorded, onObservation, onProgress, ...work }: CompareOptions,
): Promise<(measure: number, place: number, side: Side) => unknown> {
  const keys = measures.map(() => ({ before: [] as string[], after: [] as string[] }));
  const said = new Map<string, unknown>();
  const waiting = new Map<string, Job<E>>();
  for (const [m, measure] of measures.entries()) {
    for (const side of ["before", "after"] as const) {
      const { identity } = subjects[side];
      for (const place of measure.ids.keys()) {
        const question = measure.question(place, side);
        const key = await sha256(`${identity}\n${JSON.stringify(question.key)}`);
        keys[m]![side].push(key);
        if (recorded?.has(key)) said.set(key, recorded.get(key));
        else if (!waiting.has(key)) waiting.set(key, { key, question, title: measure.title, side });
      }
    }
  }
  const total = said.size + waiting.size;
  const known = said.size;
  const start = performance.now();
  await workThrough([...waiting.values()], work, async ({ key, question, title, side }, signal) => {
    const observed = await question.ask(subjects[side], signal);
    said.set(key, observed);
    onObservation?.({ key, observed });
    const done = said.size;
    const questionsPerSecond = ((done - known) / (performance.now() - start)) * 1000;
    const remainingSeconds = (total - done) / questionsPerSecond;
    onProgress?.({ title, side, done, total, questionsPerSecond, remainingSeconds });
  });
  return (m, place, side) => said.get(keys[m]![side][place]!);
}
