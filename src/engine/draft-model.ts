import { choosesFromTop } from "../backend/ops/choose-ids.js";
import type { SampleRow } from "../backend/ops/sample.js";
import { FIRST_ROW_COST, type Guesses, StepTimes } from "./draft-rows.js";
import { type Job, prefixKey } from "./job.js";
import type { JobPages, Sequence } from "./job-pages.js";
import type { Span, StepJob, StepRunner } from "./step.js";
import { Trust } from "./trust.js";

/** Rows of one of the draft model's steps at most. */
export const DRAFT_ROWS = 128;
/** Tokens that a step may have to catch up with before it guesses; more are caught up with before. */
const NEAR = 8;
/** Tokens that a text is expected to have at least; one that has more goes on for about as many again. */
const LEAST_TEXT = 64;

/** A job's text as the draft model has computed it. */
class DraftSequence implements Sequence, StepJob {
  computed = 0;
  pages: number[][] = [];
  readonly trust: Trust;
  readonly adapter = null; // the draft model guesses without
  readonly prefixKey: string;

  constructor(
    readonly job: Job,
    trust: number,
  ) {
    this.trust = new Trust(trust);
    this.prefixKey = prefixKey(0, job.terms.salt);
  }

  get tokens(): number[] {
    return this.job.tokens;
  }

  get firstOutput(): number {
    return this.tokens.length - 1;
  }

  /** Tokens that it has not seen; at least the last one. */
  get behind(): number {
    return this.tokens.length - this.computed;
  }
}

/** A small model with the large one's vocabulary guesses what this will say next. It has weights and a cache of its own. */
export class DraftModel {
  private readonly sequences = new Map<Job, DraftSequence>();
  private readonly times = new StepTimes();
  private readonly checked = new WeakMap<Job, number>(); // tokens that it has, too
  private readonly trust = new Trust(); // in texts of late, whosever they are

  /** @param size how much of the large model's time a step takes, as far as weights tell */
  constructor(
    private readonly runner: StepRunner,
    private readonly pages: JobPages,
    private readonly size: number,
  ) {}

  /** Time of a step for so many jobs; before it was measured, by its size. */
  stepMs(jobs: number, large: StepTimes): number {
    return this.times.ms(jobs) ?? this.size * (large.ms(jobs) ?? 0);
  }

  /** Time until it knows all of a job's tokens. */
  catchUpMs(job: Job, large: StepTimes): number {
    const { promptRowMs } = this.times;
    const rowMs = Number.isFinite(promptRowMs) ? promptRowMs : FIRST_ROW_COST * this.stepMs(1, large);
    const behind = this.sequences.get(job)?.behind ?? job.tokens.length;
    return behind * rowMs;
  }

  /** What it would guess of a job, whether or not it knows all tokens yet. */
  guesses(job: Job): Guesses {
    const trust = (this.sequences.get(job)?.trust ?? this.trust).value;
    const left = this.runner.config.maxPositionEmbeddings - job.tokens.length;
    return { trust, most: this.knowsTokens(job) ? Math.min(job.mostGuesses, left) : 0, isDrafted: true };
  }

  /** Whether it knows a job's tokens but for a few. */
  isNear(job: Job): boolean {
    const sequence = this.sequences.get(job);
    return sequence !== undefined && sequence.behind <= NEAR;
  }

  /** Computes some of the tokens of jobs that it has not seen, where `gainMs` a token makes up for the time. */
  catchUp(jobs: readonly Job[], gainMs: number, large: StepTimes): void {
    const spans: Span<DraftSequence>[] = [];
    let rows = DRAFT_ROWS;
    for (const job of jobs) {
      const generated = job.tokens.length - job.promptLength;
      const expected = Math.min(job.mostGuesses, Math.max(LEAST_TEXT, generated));
      if (rows === 0 || this.isNear(job) || this.catchUpMs(job, large) > gainMs * expected) continue;
      const sequence = this.sequence(job);
      if (!sequence) continue;
      const start = sequence.computed;
      const count = Math.min(rows, sequence.behind - 1);
      if (count === 0 || !this.reserve(sequence, start + count)) continue;
      spans.push({ job: sequence, start, count, draft: [] });
      rows -= count;
    }
    if (spans.length === 0) return;
    const started = performance.now();
    this.run(spans, []);
    const count = DRAFT_ROWS - rows;
    this.times.observePrompts(count, count, performance.now() - started);
    for (const { job, start, count } of spans) {
      job.computed = start + count;
      this.pages.remember(job, start);
    }
  }

  /**
   * Guesses `count` tokens of each job: what the job would sample if this were the large model, with the same draws.
   * Fewer where pages run out.
   */
  async propose(wanted: readonly { readonly job: Job; readonly count: number }[]): Promise<ReadonlyMap<Job, number[]>> {
    const guesses = new Map<Job, number[]>(wanted.map(({ job }) => [job, []]));
    for (let step = 0; ; step++) {
      const spans: Span<DraftSequence>[] = [];
      for (const { job, count } of wanted) {
        const sequence = this.sequences.get(job);
        const draft = guesses.get(job)!;
        if (!sequence || count <= step || draft.length < step) continue;
        const first = Math.min(sequence.computed, sequence.tokens.length - 1); // the row that is looked at is computed
        const start = step === 0 ? first : sequence.tokens.length + step - 1;
        const end = sequence.tokens.length + step;
        if (this.reserve(sequence, end)) spans.push({ job: sequence, start, count: end - start, draft });
      }
      if (spans.length === 0) return guesses;
      const ids = await this.step(spans);
      for (const [i, { job: sequence, start, draft }] of spans.entries()) {
        if (step === 0) {
          sequence.computed = sequence.tokens.length;
          this.pages.remember(sequence, start);
        }
        (draft as number[]).push(ids[i]!);
      }
    }
  }

  /** The large model has computed a job's guesses, made behind `length` tokens. */
  judge(job: Job, guesses: readonly number[], length: number): void {
    const sequence = this.sequences.get(job);
    if (!sequence) return; // it has ended
    let right = 0;
    while (right < guesses.length && job.tokens[length + right] === guesses[right]) right++;
    const judged = Math.min(right + 1, guesses.length, job.tokens.length - length);
    for (let i = 0; i < judged; i++) {
      sequence.trust.judge(i < right);
      this.trust.judge(i < right);
    }
    sequence.computed = length + Math.min(right, guesses.length - 1); // the last guess was not computed itself
    this.pages.remember(sequence, length);
  }

  /** It was not asked about a job in this step. */
  rest(job: Job): void {
    this.sequences.get(job)?.trust.rest();
    this.trust.rest();
  }

  /** Forgets a job; what it shares with later ones stays remembered. */
  end(job: Job): void {
    const sequence = this.sequences.get(job);
    if (!sequence) return;
    this.sequences.delete(job);
    this.pages.release(sequence);
    this.pages.trim();
  }

  /** The large model may have more tokens, behind those that both have. */
  private knowsTokens(job: Job): boolean {
    const { vocabSize } = this.runner.config;
    let checked = this.checked.get(job) ?? 0;
    while (checked < job.tokens.length && job.tokens[checked]! < vocabSize) checked++;
    this.checked.set(job, checked);
    return checked === job.tokens.length;
  }

  private sequence(job: Job): DraftSequence | null {
    const known = this.sequences.get(job);
    if (known) return known;
    const sequence = new DraftSequence(job, this.trust.value);
    if (!this.pages.admit(sequence, [...this.sequences.values()])) return null;
    this.sequences.set(job, sequence);
    return sequence;
  }

  /** Without pages a job goes on without the draft model. */
  private reserve(sequence: DraftSequence, end: number): boolean {
    if (this.pages.reserve(sequence, end)) return true;
    this.end(sequence.job);
    return false;
  }

  private run(spans: readonly Span<DraftSequence>[], outputs: readonly number[]): void {
    this.runner.run(spans, outputs, () => spans.every(({ job }) => job.job.cancelled !== null));
  }

  /** The id behind the last row of each span. */
  private async step(spans: readonly Span<DraftSequence>[]): Promise<Int32Array> {
    const started = performance.now();
    let rows = 0;
    const outputs = spans.map(({ count }) => {
      rows += count;
      return rows - 1;
    });
    this.run(spans, outputs);
    const sampling = spans.map(({ job, draft }) => this.sampling(job.job.sampleRow(draft)!));
    const ids = await this.choose(sampling);
    this.times.observe(rows, performance.now() - started);
    return ids;
  }

  private sampling(row: SampleRow): SampleRow {
    const { vocabSize } = this.runner.config;
    if (row.biasIds.every((id) => id < vocabSize)) return row;
    const kept = [...row.biasIds.entries()].filter(([, id]) => id < vocabSize);
    return {
      ...row,
      biasIds: Int32Array.from(kept, ([, id]) => id),
      biasValues: Float32Array.from(kept, ([at]) => row.biasValues[at]!),
    };
  }

  private async choose(rows: readonly SampleRow[]): Promise<Int32Array> {
    const { be } = this.runner;
    const out = be.tensor("i32", [rows.length]);
    try {
      if (rows.every(choosesFromTop)) this.runner.choose(0, out, rows);
      else be.sample(out, this.runner.logits(0, rows.length), rows);
      return (await be.read(out)) as Int32Array;
    } finally {
      be.free(out);
    }
  }
}
