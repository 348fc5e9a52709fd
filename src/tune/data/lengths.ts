const BUCKETS = 12;
const BAR_WIDTH = 40;
const DROPPED_SHOWN = 5;

/** How long the sequences of examples are, in tokens, before and after the cut at `maxLength`. */
export interface LengthReport {
  readonly examples: number;
  /** A preference has two. */
  readonly sequences: number;
  /** What is kept of them: all tokens, and those with a loss. */
  readonly tokens: number;
  readonly targets: number;
  readonly maxLength: number;
  /** Examples that lost their end. */
  readonly truncated: number;
  /** Examples that are left out, since the cut leaves nothing to learn; and where the first ones stand. */
  readonly dropped: number;
  readonly droppedAt: readonly string[];
  /** Of whole sequences. By nearest rank: that many percent are at most so long. */
  readonly percentiles: Readonly<Record<50 | 90 | 95 | 99, number>>;
  readonly longest: { readonly at: string; readonly tokens: number } | undefined;
  /** Whole sequences by length: those above the bucket before, up to `upTo`. */
  readonly buckets: readonly { readonly upTo: number; readonly sequences: number }[];
}

/** Collects the lengths of examples as they are encoded. */
export class LengthTally {
  private readonly lengths: number[] = [];
  private readonly droppedAt: string[] = [];
  private longest: LengthReport["longest"];
  private examples = 0;
  private tokens = 0;
  private targets = 0;
  private truncated = 0;
  private dropped = 0;

  constructor(private readonly maxLength: number) {}

  /** @param whole lengths before the cut; `kept`: what is left, nothing of an example that is dropped */
  add(
    at: string,
    whole: readonly number[],
    kept: readonly { readonly ids: ArrayLike<number>; readonly targets: number }[],
  ): void {
    this.examples++;
    for (const length of whole) {
      this.lengths.push(length);
      if (length > (this.longest?.tokens ?? 0)) this.longest = { at, tokens: length };
    }
    for (const { ids, targets } of kept) {
      this.tokens += ids.length;
      this.targets += targets;
    }
    if (kept.length === 0) {
      if (this.dropped++ < DROPPED_SHOWN) this.droppedAt.push(at);
    } else if (whole.some((length) => length > this.maxLength)) this.truncated++;
  }

  report(): LengthReport {
    const { examples, tokens, targets, maxLength, truncated, dropped, droppedAt, longest } = this;
    const sorted = Float64Array.from(this.lengths).sort();
    const rank = (percent: number) => sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
    return {
      ...{ examples, sequences: sorted.length, tokens, targets, maxLength, truncated, dropped, droppedAt, longest },
      percentiles: { 50: rank(50), 90: rank(90), 95: rank(95), 99: rank(99) },
      buckets: bucketsOf(sorted),
    };
  }
}

/** At most 12 buckets of one width out of 1, 2, 5, 10, 20, 50, ... */
function bucketsOf(sorted: Float64Array): LengthReport["buckets"] {
  const longest = sorted.at(-1) ?? 0;
  const width = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((power) => [1, 2, 5].map((one) => one * 10 ** power));
  const step = width.find((one) => longest <= one * BUCKETS) ?? longest;
  const counts = Array.from({ length: Math.ceil(longest / step) }, () => 0);
  for (const length of sorted) {
    const bucket = Math.max(0, Math.ceil(length / step) - 1);
    counts[bucket] = counts[bucket]! + 1;
  }
  return counts.map((sequences, i) => ({ upTo: (i + 1) * step, sequences }));
}

/** The report as lines of plain text, with a histogram. */
export function lengthText(report: LengthReport): string {
  const { examples, sequences, tokens, targets, maxLength, truncated, dropped, percentiles, longest } = report;
  const share = tokens === 0 ? "" : ` (${((100 * targets) / tokens).toFixed(1)} %)`;
  const pairs = sequences === examples ? "" : ` in ${grouped(sequences)} sequences`;
  const lines = [
    `${grouped(examples)} ${examples === 1 ? "example" : "examples"}${pairs}, ${grouped(tokens)} tokens, ${grouped(targets)} of them learned${share}`,
    `length  p50 ${percentiles[50]}  p90 ${percentiles[90]}  p95 ${percentiles[95]}  p99 ${percentiles[99]}` +
      (longest === undefined ? "" : `  longest ${longest.tokens} (${longest.at})`),
    ...histogram(report.buckets),
  ];
  if (truncated > 0) {
    const lose =
      truncated === 1 ? "is longer than # tokens and loses its end" : "are longer than # tokens and lose their end";
    lines.push(`${grouped(truncated)} ${lose.replace("#", String(maxLength))}`);
  }
  if (dropped > 0) {
    const more = dropped > report.droppedAt.length ? ", ..." : "";
    lines.push(
      `${grouped(dropped)} ${dropped === 1 ? "is dropped: its" : "are dropped: their"} first ${maxLength} tokens have nothing to learn (${report.droppedAt.join(", ")}${more})`,
    );
  }
  return lines.join("\n");
}

function histogram(buckets: LengthReport["buckets"]): readonly string[] {
  const most = Math.max(1, ...buckets.map(({ sequences }) => sequences));
  const width = String(buckets.at(-1)?.upTo ?? 0).length;
  return buckets.map(({ upTo, sequences }) => {
    const bar = "█".repeat(Math.ceil((sequences / most) * BAR_WIDTH));
    return `  <= ${String(upTo).padStart(width)} ${bar}${bar === "" ? "" : " "}${grouped(sequences)}`;
  });
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
