import { GemmaError } from "../base/errors.js";
import { seededRng } from "../base/rng.js";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Default 0. Same seed and values, same interval. */
  readonly seed?: number;
  /** Default 2000: the ends of a 95 % interval then vary by about a twentieth of its width between seeds. */
  readonly resamples?: number;
  /** Share of resamples inside, default 0.95. */
  readonly level?: number;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Standard error of a mean: the sample's standard deviation over sqrt(n). Of right (1) and wrong (0) answers it is
 * sqrt(p (1 - p) / (n - 1)), as lm-evaluation-harness has it. null for fewer than two values, which say nothing about it.
 */
export function standardError(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** Mean of the groups' means, each group counting alike. */
export function groupedMean(groups: readonly (readonly number[])[]): number {
  return mean(groups.map(mean));
}

/** Standard error of `groupedMean`: the groups are fixed, their items are samples. */
export function groupedStandardError(groups: readonly (readonly number[])[]): number | null {
  const errors = groups.map(standardError);
  if (errors.length === 0 || errors.some((error) => error === null)) return null;
  return Math.hypot(...(errors as number[])) / groups.length;
}

/**
 * Percentile bootstrap interval (Efron 1979) of `groupedMean`, with one group of a plain mean. Items are drawn again with
 * replacement inside their group, so that every group keeps its size.
 */
export function bootstrapInterval(
  groups: readonly (readonly number[])[],
  { seed = 0, resamples = 2000, level = 0.95 }: BootstrapOptions = {},
): Interval {
  if (groups.length === 0 || groups.some((group) => group.length === 0)) {
    throw new GemmaError("ERR_RANGE", "bootstrapInterval: groups must have a value each, got an empty one");
  }
  const rng = seededRng(seed);
  const means = Float64Array.from({ length: resamples }, () => {
    let total = 0;
    for (const group of groups) {
      let sum = 0;
      for (let i = 0; i < group.length; i++) sum += group[rng.integer(group.length)]!;
      total += sum / group.length;
    }
    return total / groups.length;
  });
  return percentileInterval(means, level);
}

/** The interval that leaves equal shares of `values` below and above. Sorts them. */
export function percentileInterval(values: Float64Array, level: number): Interval {
  values.sort();
  return { low: quantile(values, (1 - level) / 2), high: quantile(values, (1 + level) / 2) };
}

/** Linear between neighbours, numpy's default and R's type 7. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

export interface McNemar {
  /** Wrong before, right after. */
  readonly gained: number;
  readonly lost: number;
  /** Two-sided, from the binomial distribution of `gained` among all changed items. */
  readonly exact: number;
  /** Two-sided mid-p: less conservative, and close to its nominal level (Fagerland, Lydersen, Laake 2013). */
  readonly midP: number;
}

/** McNemar's test on two runs over the same items: were gains and losses equally likely? */
export function mcNemar(gained: number, lost: number): McNemar {
  const n = gained + lost;
  const fewer = Math.min(gained, lost);
  // P(X = k) for X ~ Binomial(n, 1/2), in logarithms since 2^-n underflows from n = 1075.
  let logTerm = -n * Math.LN2;
  let atMost = Math.exp(logTerm);
  for (let k = 0; k < fewer; k++) {
    logTerm += Math.log((n - k) / (k + 1));
    atMost += Math.exp(logTerm);
  }
  const midP = 2 * atMost - Math.exp(logTerm);
  return { gained, lost, exact: Math.min(1, 2 * atMost), midP: Math.min(1, midP) };
}

export interface PairedDifference extends Interval {
  /** Mean of after minus before. */
  readonly difference: number;
  readonly stderr: number | null;
}

/** How much a mean changed between two runs over the same items, with the interval of the paired bootstrap. */
export function pairedDifference(
  before: readonly number[],
  after: readonly number[],
  options: BootstrapOptions = {},
): PairedDifference {
  if (before.length !== after.length) {
    throw new GemmaError("ERR_RANGE", `pairedDifference: must have ${before.length} values each, got ${after.length}`);
  }
  const differences = after.map((value, i) => value - before[i]!);
  const interval = bootstrapInterval([differences], options);
  return { difference: mean(differences), stderr: standardError(differences), ...interval };
}
