import type { SampleRow } from "../../backend/ops/sample.js";
import { GemmaError } from "../../base/errors.js";
import { uniformAt } from "../../base/rng.js";
import { type Candidate, LogitRow } from "./logits.js";
import type { Machine } from "./machine.js";

/** The id that a row of V logits in wasm memory yields; the logits stay as they are. */
export function sampleRow(machine: Machine, logits: number, width: number, row: SampleRow): number {
  const isPlain = row.mask === null && row.biasIds.length === 0 && row.penaltyIds.length === 0;
  return draw(new LogitRow(machine, isPlain ? logits : adjust(machine, logits, width, row), width), row);
}

/** A copy of the logits with mask, bias and penalties, each step rounded to f32 by being stored. */
function adjust(machine: Machine, from: number, width: number, row: SampleRow): number {
  const address = machine.buffer("adjusted", 4 * width);
  const logits = machine.floats(address, width);
  logits.set(machine.floats(from, width));
  const { mask } = row;
  for (let first = 0; mask !== null && first < width; first += 32) {
    const word = mask[first >> 5]!;
    if (word === 0xffff_ffff) continue;
    const end = Math.min(width, first + 32);
    for (let id = first; id < end; id++) if (((word >>> (id & 31)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
  }
  const isKnown = (id: number) => id >= 0 && id < width;
  for (const [i, id] of row.biasIds.entries()) if (isKnown(id)) logits[id]! += row.biasValues[i]!;
  const repetition = Math.fround(row.repetitionPenalty);
  const frequency = Math.fround(row.frequencyPenalty);
  const presence = Math.fround(row.presencePenalty);
  for (const [i, id] of row.penaltyIds.entries()) {
    if (!isKnown(id)) continue;
    const count = row.penaltyCounts[i]!;
    logits[id] = logits[id]! > 0 ? logits[id]! / repetition : logits[id]! * repetition;
    logits[id]! -= Math.fround(frequency * count);
    if (count > 0) logits[id]! -= presence;
  }
  return address;
}

/** The id that a row yields that chooses from its most likely candidates, given the most likely first. */
export function sampleFrom(candidates: readonly Candidate[], row: SampleRow): number {
  return draw(new KnownBest(candidates), row);
}

/** What drawing asks of logits. */
type Logits = Pick<LogitRow, "max" | "argMax" | "best" | "from" | "sumOfWeights">;

/** Logits of which the best are known. A row that keeps its k best asks for no others. */
class KnownBest implements Logits {
  readonly max: number;
  readonly from = notKept;
  readonly sumOfWeights = notKept;

  constructor(private readonly candidates: readonly Candidate[]) {
    this.max = candidates[0]?.logit ?? Number.NEGATIVE_INFINITY;
  }

  argMax(): number {
    return this.candidates[0]?.id ?? -1;
  }

  best(n: number): Candidate[] {
    return this.candidates.slice(0, n);
  }
}

function notKept(): never {
  throw new GemmaError("ERR_BACKEND", "wasm: a row must choose from its most likely ids, got one that looks at all");
}

function draw(logits: Logits, row: SampleRow): number {
  if (row.temperature === 0) return logits.argMax();
  if (logits.max === Number.NEGATIVE_INFINITY) return -1;
  const ranking = new Ranking(logits, row.temperature, row.topK);
  let kept = Number.POSITIVE_INFINITY;
  let mass = ranking.total;
  if (row.topP < 1) {
    const goal = row.topP * mass;
    kept = ranking.first((sum) => sum >= goal) + 1;
  }
  if (row.minP > 0) kept = Math.min(kept, ranking.countFrom(row.minP));
  if (kept !== Number.POSITIVE_INFINITY) mass = ranking.sums[kept - 1]!;
  const goal = uniformAt(row.seed, row.index) * mass;
  const drawn = ranking.first((sum) => sum > goal);
  return ranking.candidates[Math.min(drawn, kept - 1)]!.id;
}

const RANGES = 16; // of two temperatures each; what lies below exp(-32) comes at once

/** Candidates from the most likely down, found only as far as they are needed, and the running sums of their weights. */
class Ranking {
  readonly candidates: Candidate[] = [];
  readonly sums: number[] = [];
  /** Of all weights that count. */
  readonly total: number;
  private ranges = 0;
  private low = Number.POSITIVE_INFINITY; // lower end of the ranges so far

  /** topK 0: all ids. */
  constructor(
    private readonly logits: Logits,
    private readonly temperature: number,
    topK: number,
  ) {
    const isWhole = topK > 0 || logits.max === Number.POSITIVE_INFINITY;
    if (isWhole) {
      this.append(topK > 0 ? logits.best(topK) : logits.from(Number.NEGATIVE_INFINITY));
      this.ranges = RANGES + 1;
    }
    this.total = isWhole ? this.sums.at(-1)! : logits.sumOfWeights(temperature);
  }

  /** The first candidate whose running sum satisfies `reached`; the last one if none does. */
  first(reached: (sum: number) => boolean): number {
    for (let i = 0; ; i++) {
      if (i === this.candidates.length && !this.extend()) return i - 1;
      if (reached(this.sums[i]!)) return i;
    }
  }

  /** How many candidates have at least this share of the greatest weight, at least 1. */
  countFrom(share: number): number {
    for (let i = 0; ; i++) {
      if (i === this.candidates.length && !this.extend()) return i;
      if (i > 0 && this.weight(this.candidates[i]!.logit) < share) return i;
    }
  }

  /** 1 for the greatest also where it is infinite and the difference no number. */
  private weight(logit: number): number {
    return logit === this.logits.max ? 1 : Math.exp((logit - this.logits.max) / this.temperature);
  }

  private append(more: readonly Candidate[]): void {
    let sum = this.sums.at(-1) ?? 0;
    for (const candidate of more) {
      sum += this.weight(candidate.logit);
      this.candidates.push(candidate);
      this.sums.push(sum);
    }
  }

  /** Adds the next range of logits that holds any. false: there are no more. */
  private extend(): boolean {
    const before = this.candidates.length;
    while (this.candidates.length === before && this.ranges <= RANGES) {
      const high = this.ranges === 0 ? undefined : this.low;
      this.ranges++;
      const isLast = this.ranges > RANGES;
      this.low = isLast ? Number.NEGATIVE_INFINITY : this.logits.max - 2 * this.temperature * this.ranges;
      this.append(this.logits.from(this.low, high));
    }
    return this.candidates.length > before;
  }
}
