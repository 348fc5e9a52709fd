import { pairedRatioInterval, pairedShareInterval, signFlipTest } from "../paired-stats.js";
import { mcNemar } from "../stats.js";
import type { DraftLine } from "./measure.js";
import type { SequenceLoss } from "./subject.js";
import type { LineHead, ReportItem } from "./tuning-report.js";

/** Losses nearer than this are the same. */
const EPSILON = 1e-9;

type Texts = Pick<ReportItem, "question" | "reference">;

export interface ShareItem extends Texts {
  readonly id: string;
  readonly before: { readonly counts: boolean; readonly text?: string };
  readonly after: { readonly counts: boolean; readonly text?: string };
}

/** The line of a share of items that count, with McNemar's exact test. null for no items. */
export function shareLine(head: LineHead, all: readonly ShareItem[]): DraftLine | null {
  const n = all.length;
  if (n === 0) return null;
  const items = all.map((item): ReportItem => {
    const rise = Number(item.after.counts) - Number(item.before.counts);
    return { ...item, change: changeOf(head.better === "higher" ? rise : -rise) };
  });
  const count = (change: ReportItem["change"]) => items.filter((item) => item.change === change).length;
  const [gained, lost] = [count("gained"), count("lost")];
  const [ups, downs] = head.better === "higher" ? [gained, lost] : [lost, gained];
  const share = (side: "before" | "after") => all.filter((item) => item[side].counts).length / n;
  return {
    ...head,
    ...{ unit: "share", n, before: share("before"), after: share("after"), difference: (ups - downs) / n },
    ...pairedShareInterval(n, ups, downs),
    ...{ test: "mcnemar", p: mcNemar(gained, lost).exact, gained, lost, items },
  };
}

export interface LossItem extends Texts {
  readonly id: string;
  readonly before: SequenceLoss;
  readonly after: SequenceLoss;
}

/**
 * The line of a mean loss a token, by the tokens of the first model (the second one's are as many, unless its vocabulary is
 * another): its interval draws whole items, its test flips the signs of their differences. null for no items with tokens.
 */
export function lossLine(head: Omit<LineHead, "better">, all: readonly LossItem[]): DraftLine | null {
  const told = all.filter(({ before, after }) => before.tokens > 0 && after.tokens > 0);
  if (told.length === 0) return null;
  const differences = told.map(({ before, after }) => after.nats - before.nats);
  const weights = told.map(({ before }) => before.tokens);
  const tokens = sum(weights);
  const items = told.map((item, i): ReportItem => ({ ...item, change: changeOf(-differences[i]!) }));
  const count = (change: ReportItem["change"]) => items.filter((item) => item.change === change).length;
  return {
    ...head,
    ...{ better: "lower", unit: "nats", n: told.length },
    before: sum(told.map(({ before }) => before.nats)) / tokens,
    after: sum(told.map(({ after }) => after.nats)) / tokens,
    difference: sum(differences) / tokens,
    ...pairedRatioInterval(differences, weights),
    ...{ test: "signs", p: signFlipTest(differences), gained: count("gained"), lost: count("lost"), items },
  };
}

function changeOf(gain: number): ReportItem["change"] {
  if (Math.abs(gain) <= EPSILON) return "same";
  return gain > 0 ? "gained" : "lost";
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
