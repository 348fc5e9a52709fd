import type { Machine } from "../results.js";

/** Goes up when old readers would misread a report. */
export const TUNING_REPORT_FORMAT = 1;

/** report.json: what tuning did. It holds no times, so that the same measurements give the same bytes. */
export interface TuningReport {
  readonly format: typeof TUNING_REPORT_FORMAT;
  readonly kind: "tuning-report";
  readonly before: ReportedModel;
  readonly after: ReportedModel;
  readonly verdict: string;
  readonly lines: readonly ReportLine[];
  /** Answers side by side that no line judges. */
  readonly answers: readonly AnswerPair[];
  /** Sentences on what differs from published settings, and on what was left out. */
  readonly notes: readonly string[];
  readonly made: ReportOrigin;
  /** The tuning run, where its folder was given. */
  readonly run: TrainingRun | null;
}

export interface ReportedModel {
  readonly name: string;
  /** null where nobody can know it. */
  readonly sha256: string | null;
  readonly adapter: { readonly name: string; readonly sha256: string } | null;
}

/** With what and how the report was made. */
export interface ReportOrigin {
  /** Of gemma-ts. */
  readonly version: string;
  readonly commit: string | null;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  readonly data: readonly { readonly name: string; readonly sha256: string; readonly items: number }[];
  readonly machine: Machine | null;
  readonly command: string | null;
}

/** target: what was tuned for. All others are to stay as they were. */
export type Role = "target" | "regression" | "safety" | "behaviour";

/** What a line says, before it is measured. */
export interface LineHead {
  /** Unique in the report, e.g. `boolq`, `target.label`, `safety.xstest`. */
  readonly id: string;
  readonly role: Role;
  readonly title: string;
  /** How it was measured, a sentence: prompts, metric, setting. */
  readonly about: string;
  readonly better: "higher" | "lower";
}

/** Before and after, over the same items. */
export interface ReportLine extends LineHead {
  /** share: of 1, of items that are right. nats: mean -log p a token. */
  readonly unit: "share" | "nats";
  readonly n: number;
  readonly before: number;
  readonly after: number;
  /** After minus before, with the 95 % interval of paired items. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** "mcnemar": exact, two-sided. "signs": randomisation of the differences' signs. */
  readonly test: "mcnemar" | "signs";
  readonly p: number;
  /** Adjusted for the number of lines (Holm). */
  readonly pHolm: number;
  /** Items that became better, and worse, in the sense of `better`. */
  readonly gained: number;
  readonly lost: number;
  /** "same": not told from chance at 5 % after the adjustment, which is no proof that nothing changed. */
  readonly movement: "better" | "worse" | "same";
  readonly items: readonly ReportItem[];
}

export interface ReportItem {
  readonly id: string;
  readonly change: "gained" | "lost" | "same";
  readonly before: ItemSide;
  readonly after: ItemSide;
  /** Absent where texts are withheld. */
  readonly question?: string;
  readonly reference?: string;
}

export interface ItemSide {
  /** Of shares: whether the item counts. */
  readonly counts?: boolean;
  /** What the model said or chose; absent where texts are withheld. */
  readonly text?: string;
  /** Of losses: sums over the item. */
  readonly nats?: number;
  readonly tokens?: number;
}

export interface AnswerPair {
  readonly id: string;
  readonly question: string;
  readonly reference: string | null;
  readonly before: string;
  readonly after: string;
}

/** What a run folder tells of the tuning itself. */
export interface TrainingRun {
  readonly folder: string;
  /** Of config.json: texts, numbers and truth values, nested keys with points. */
  readonly config: Readonly<Record<string, string | number | boolean | null>>;
  /** Of the steps, and of held-out examples where they were measured; thinned out. */
  readonly losses: readonly StepLoss[];
  readonly heldOut: readonly StepLoss[];
  /** What it cost, as far as it is known: `steps`, `tokens`, `seconds`, `peakBytes`. */
  readonly costs: Readonly<Record<string, number>>;
}

export interface StepLoss {
  readonly step: number;
  readonly loss: number;
}
