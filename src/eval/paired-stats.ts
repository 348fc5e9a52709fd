import { GemmaError } from "../base/errors.js";
import { seededRng } from "../base/rng.js";
import { type BootstrapOptions, type Interval, mean, percentileInterval } from "./stats.js";

/** The 97.5 % quantile of the standard normal distribution. */
const Z95 = 1.959963984540054;
/** Up to so many items every choice of signs is counted: 2^12 of them. */
const EXACT_ITEMS = 12;
const FLIPS = 9999;

/**
 * 95 % interval of the difference of two shares over the same items (Bonett and Price 2012): a Wald interval after one
 * item was added to the gained and one to the lost. The bootstrap's would have no width where no item changed, which
 * is not what is known then.
 *
 * @returns in -1..1; symmetric about a point a little nearer to 0 than (gained - lost) / n
 */
export function pairedShareInterval(n: number, gained: number, lost: number): Interval {
  if (!(n > 0 && gained >= 0 && lost >= 0 && gained + lost <= n)) {
    const got = `${n} items, ${gained} gained, ${lost} lost`;
    throw new GemmaError("ERR_RANGE", `pairedShareInterval: changes must be some of one or more items, got ${got}`);
  }
  const [up, down] = [(gained + 1) / (n + 2), (lost + 1) / (n + 2)];
  const middle = up - down;
  const half = Z95 * Math.sqrt((up + down - middle ** 2) / (n + 2));
  return { low: Math.max(-1, middle - half), high: Math.min(1, middle + half) };
}

/**
 * 95 % percentile bootstrap interval of (the sum of `differences`) / (the sum of `weights`), items drawn as wholes: of the mean loss
 * a token, where `differences` are sums over each item's tokens and `weights` their numbers.
 */
export function pairedRatioInterval(
  differences: readonly number[],
  weights: readonly number[],
  { seed = 0, resamples = 2000, level = 0.95 }: BootstrapOptions = {},
): Interval {
  const n = differences.length;
  if (n === 0 || weights.length !== n) {
    throw new GemmaError("ERR_RANGE", `pairedRatioInterval: must have a weight each, got ${weights.length} of ${n}`);
  }
  const rng = seededRng(seed);
  const ratios = Float64Array.from({ length: resamples }, () => {
    let [above, below] = [0, 0];
    for (let i = 0; i < n; i++) {
      const drawn = rng.integer(n);
      above += differences[drawn]!;
      below += weights[drawn]!;
    }
    return above / below;
  });
  return percentileInterval(ratios, level);
}

/**
 * Two-sided p value of Fisher's randomisation test on paired differences: if nothing had changed, each could as well have the other
 * sign. All choices of signs up to 12 items, 9999 drawn by `seed` beyond: then p is 0.0001 at least.
 */
export function signFlipTest(differences: readonly number[], seed = 0): number {
  const n = differences.length;
  if (n === 0) return 1;
  const observed = Math.abs(differences.reduce((sum, one) => sum + one, 0));
  const scale = mean(differences.map(Math.abs)) * n;
  const isAsFar = (sum: number) => Math.abs(sum) >= observed - 1e-12 * scale;
  if (n <= EXACT_ITEMS) {
    let count = 0;
    for (let signs = 0; signs < 1 << n; signs++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (signs >> i) & 1 ? differences[i]! : -differences[i]!;
      if (isAsFar(sum)) count++;
    }
    return count / (1 << n);
  }
  const rng = seededRng(seed);
  let count = 1; // the observed signs are one choice
  for (let flip = 0; flip < FLIPS; flip++) {
    let sum = 0;
    for (const one of differences) sum += rng.integer(2) === 0 ? one : -one;
    if (isAsFar(sum)) count++;
  }
  return count / (FLIPS + 1);
}

/**
 * p values adjusted for being several (Holm 1979), in their order: with those at most 0.05 called significant, the chance that
 * any of them is so by accident is 5 % at most, however they depend on each other.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = least;
  }
  return adjusted;
}
