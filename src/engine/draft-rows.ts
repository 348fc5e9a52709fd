import { HEAD_ROWS } from "./step.js";

/** Of one more row before any was measured, in steps of one row. */
export const FIRST_ROW_COST = 0.15;
const RATE = 0.5;
/** What was not measured for a while counts as quicker, so that it is tried again. */
const FORGETTING = 0.9995;
/** Times and chances are estimates: a gain that could as well be none is left. */
const LEAST_GAIN = 1.05;

/** Steps with fewer rows of prompts say little about one of them. */
const LEAST_PROMPT_ROWS = 16;

/** How long steps take, learned from the steps themselves: those of few rows, and what a row of a prompt adds. */
export class StepTimes {
  private readonly measured = new Float64Array(HEAD_ROWS + 1); // ms by rows; 0: not seen yet
  /** Expected time that one more row of a prompt takes; infinite before any was seen. */
  promptRowMs = Infinity;

  /** Takes the time of a step in which every row has logits. */
  observe(rows: number, ms: number): void {
    if (rows > HEAD_ROWS) return;
    const expected = this.ms(rows) ?? ms;
    for (let i = 1; i <= HEAD_ROWS; i++) this.measured[i]! *= FORGETTING;
    // A step that another process held up says little.
    this.measured[rows] = expected + RATE * (Math.min(ms, 2 * expected) - expected);
  }

  /** Takes the time of a step of `rows` rows, `prompts` of them rows of prompts. */
  observePrompts(rows: number, prompts: number, ms: number): void {
    if (prompts < LEAST_PROMPT_ROWS) return;
    const decodeMs = rows === prompts ? 0 : (this.ms(rows - prompts) ?? 0);
    const rowMs = Math.max(ms - decodeMs, 0.25 * ms) / prompts; // both times are estimates
    const expected = Number.isFinite(this.promptRowMs) ? this.promptRowMs : rowMs;
    this.promptRowMs = expected + RATE * (Math.min(rowMs, 2 * expected) - expected);
  }

  /** Expected time of a step of `rows` rows; null: not even fewer rows were seen. */
  ms(rows: number): number | null {
    let seen = Math.min(rows, HEAD_ROWS);
    while (seen > 0 && this.measured[seen] === 0) seen--;
    if (seen === 0) return null;
    let first = 1;
    while (this.measured[first] === 0) first++;
    const low = this.measured[first]!;
    const high = this.measured[seen]!;
    const rowMs = first < seen ? Math.max(0, high - low) / (seen - first) : FIRST_ROW_COST * low;
    return high + (rows - seen) * rowMs;
  }
}

/** One job's guesses. */
export interface Guesses {
  /** Probability of each, given that those before it are right. */
  readonly trust: number;
  /** How many can be of use. */
  readonly most: number;
  /** Whether a draft model computes them, one a step of its own. */
  readonly isDrafted?: boolean;
}

export interface DraftPlan {
  /** Guesses of each job. */
  readonly lengths: readonly number[];
  /** Tokens a ms that are expected so; 0: unknown. */
  readonly rate: number;
}

/**
 * How many guesses of each job a step of one row a job should compute as well: as many as give the most tokens a
 * second. The likeliest come first, whosever they are. Drafts keep to the rows of one pass over the head.
 *
 * @param draftMs time of the draft model's step for so many jobs
 */
export function draftPlan(
  guesses: readonly Guesses[],
  rows: number,
  times: StepTimes,
  draftMs: (jobs: number) => number = () => 0,
): DraftPlan {
  const counts = guesses.map(() => 0);
  const plainMs = times.ms(rows);
  if (rows > HEAD_ROWS || plainMs === null) return { lengths: counts, rate: 0 };
  let best: DraftPlan = { lengths: [...counts], rate: rows / plainMs };
  let tokens = rows; // expected
  const drafting: number[] = []; // jobs that each of the draft model's steps is for
  const chances = guesses.map(({ trust, most }) => (most > 0 ? trust : 0)); // of each job's next guess
  for (let all = rows + 1; all <= HEAD_ROWS; all++) {
    const chance = Math.max(0, ...chances);
    if (chance === 0) break;
    const job = chances.indexOf(chance);
    const { trust, most, isDrafted } = guesses[job]!;
    if (isDrafted) drafting[counts[job]!] = (drafting[counts[job]!] ?? 0) + 1;
    tokens += chance;
    counts[job]!++;
    chances[job] = counts[job]! < most ? chance * trust : 0;
    const ms = drafting.reduce((sum, jobs) => sum + draftMs(jobs), times.ms(all)!);
    const least = best.lengths.every((length) => length === 0) ? LEAST_GAIN * best.rate : best.rate;
    if (tokens / ms > least) best = { lengths: [...counts], rate: tokens / ms };
  }
  return best;
}
