import { PAGE_ROWS } from "../backend/kv.js";
import { GemmaError } from "../base/errors.js";
import type { DraftModel } from "./draft-model.js";
import { StepTimes } from "./draft-rows.js";
import { Followers } from "./followers.js";
import { Guesser } from "./guesser.js";
import { type Job, prefixKey } from "./job.js";
import type { JobPages } from "./job-pages.js";
import { FairQueue } from "./queue.js";
import { type Claim, RowShares } from "./row-shares.js";
import { readRows } from "./rows.js";
import { EngineCounters, type EngineStats } from "./stats.js";
import { type Span, StepAborted, type StepRunner } from "./step.js";

/**
 * Prompts take about this long of a step, beside the newest tokens: so the worker hears of cancellations and new requests
 * in between, and neither holds up the other.
 */
const STEP_MS = 50;
/**
 * The only request there is gets larger chunks, which read the weights less often; so do scores and embeddings, which
 * nobody reads word by word. A request that comes waits for a step.
 */
const LONG_STEP_MS = 200;
const POLL_MS = 10;
/** Fewer would read all weights for too little work. */
const LEAST_ROWS = 32;
const LONG_STEP_LEAST_ROWS = 128;
/** Jobs looked at in a step that wait for another's prefix. */
const MOST_FOLLOWERS = 64;
/** Longer than a mask takes as a rule, and short beside a step: one slow grammar must not hold up the others. */
const MASK_PATIENCE_MS = 5;

/**
 * Continuous batching: each step takes the newest token of every running job and fills up with chunks of prompts. Who
 * waits is admitted, and whose prompt is computed, in the order of FairQueue. When pages run out, unused prefixes go
 * first, then the lowest priority's youngest job is set back and computed again later, with the same result.
 */
export class Scheduler {
  private readonly waiting = new FairQueue<Job>();
  private readonly running: Job[] = []; // in order of admission
  private readonly shares = new RowShares();
  private readonly followers = new Followers();
  private readonly counters = new EngineCounters();
  private readonly times = new StepTimes();
  private readonly guesser: Guesser;
  private setBacks = 0;

  constructor(
    private readonly runner: StepRunner,
    private readonly pages: JobPages,
    draft: DraftModel | null,
    /** Called once for each job that was added. */
    private readonly onEnd: (job: Job) => void,
  ) {
    this.guesser = new Guesser(draft, this.times);
  }

  get idle(): boolean {
    return this.waiting.size === 0 && this.running.length === 0;
  }

  stats(): EngineStats {
    return this.counters.stats(this.waiting.size, this.running.length, this.pages.stats());
  }

  add(job: Job): void {
    this.waiting.add(job);
  }

  /** Forgets what was computed with an adapter. */
  forget(adapterId: number): void {
    this.pages.forget(prefixKey(adapterId));
  }

  /** Runs one step, or waits a little while no job is ready. */
  async step(): Promise<void> {
    this.dropCancelled();
    const spans = this.compose();
    if (spans.length === 0) {
      // Not longer: cancellations and new jobs want to be seen, too.
      if (!this.idle) await Promise.race([sleep(POLL_MS), ...this.running.flatMap((job) => job.whenReady() ?? [])]);
      return;
    }
    try {
      if (isDecoding(spans)) await this.decode(spans);
      else await this.prefill(spans);
    } catch (error) {
      if (error instanceof StepAborted) this.dropCancelled();
      else for (const { job } of spans) this.end(job, error);
    }
  }

  /** Fails every job, e.g. at dispose. */
  failAll(error: unknown): void {
    for (const job of this.jobs()) this.end(job, error);
  }

  /** Each job's newest token, and guesses behind some. */
  private async decode(spans: readonly Span[]): Promise<void> {
    // Guesses push no job out: they take pages that are free, or remembered and unused.
    const reserve = (job: Job, end: number) => this.pages.reserve(job, end);
    const extended = await this.guesser.extend(spans, reserve);
    const kept = extended.filter(({ job }) => this.running.includes(job)); // the model may have been disposed meanwhile
    if (kept.length === 0) return;
    const start = performance.now();
    await this.compute(kept);
    this.times.observe(rowsOf(kept), performance.now() - start);
  }

  private async prefill(spans: readonly Span[]): Promise<void> {
    const start = performance.now();
    await this.compute(spans);
    this.times.observePrompts(rowsOf(spans), promptRowsOf(spans), performance.now() - start);
  }

  private async compute(spans: readonly Span[]): Promise<void> {
    const { outputs, wanted } = wantedRows(spans);
    for (const { job } of spans) job.startedAt ??= performance.now();
    this.runner.run(spans, outputs, () => spans.every((span) => span.job.cancelled !== null));
    for (const { job, start, count, draft } of spans) job.computed = start + count - draft.length;
    this.counters.step(spans);
    const lengths = spans.map(({ job }) => job.tokens.length);
    await this.masks(spans);
    await readRows(this.runner, wanted);
    for (const [i, span] of spans.entries()) {
      const { job, start } = span;
      this.counters.outcome(span, lengths[i]!);
      if (span.draft.length > 0) this.guesser.judge(span, lengths[i]!);
      if (this.running.includes(job)) this.pages.remember(job, start); // the model may have been disposed meanwhile
      if (job.remaining === 0 && !job.finished) job.complete();
      if (job.finished) this.end(job, null);
    }
  }

  /** Masks were computed while the step ran: they are there, or a moment is left to them. Late ones wait a step. */
  private async masks(spans: readonly Span[]): Promise<void> {
    const pending = spans.flatMap(({ job }) => job.whenReady() ?? []);
    if (pending.length > 0) await Promise.race([Promise.all(pending), sleep(MASK_PATIENCE_MS)]);
  }

  /** The spans of the next step: newest tokens first, then prompts; pages are reserved. */
  private compose(): Span[] {
    const spans: Span[] = [];
    const setBacks = this.setBacks;
    const take = (job: Job, count: number): void => {
      // Another job's reservation may have set this one back.
      if (this.running.includes(job) && this.reserve(job, job.computed + count)) {
        spans.push({ job, start: job.computed, count, draft: [] });
      }
    };
    const decoding = this.running.filter((job) => job.remaining === 1 && job.ready);
    for (const job of decoding) {
      take(job, 1);
      this.waiting.charge(job, 1);
    }
    const isPrefilling = (job: Job) => job.remaining > 0 && job.ready && !decoding.includes(job);
    this.waiting.settle(this.running.filter(isPrefilling));
    // What was set back just now waits a step: admitted again at once it would take its pages back.
    const following = this.setBacks === setBacks ? this.admitWaiting() : [];
    const prefilling = this.running.filter(isPrefilling);
    const own = prefilling.map((job) => ({ job, target: job, rows: job.remaining }));
    const claims = [...own, ...following.filter(({ target }) => prefilling.includes(target))];
    for (const [job, count] of this.shares.divide(claims, this.promptRows(spans.length), this.waiting)) {
      take(job, count);
    }
    const kept = spans.filter(({ job }) => this.running.includes(job));
    return kept.sort((a, b) => a.job.adapterId - b.job.adapterId);
  }

  /**
   * Admits who waits, strictly in order: who needs many pages would else wait for ever behind those who need few.
   * @returns claims of those who wait for rows of another job, so that it gets on as fast as they would
   */
  private admitWaiting(): Claim<Job>[] {
    const following: Claim<Job>[] = [];
    for (const job of this.waiting.inOrder()) {
      const lead = this.followers.leadOf(job, this.running, () => this.pages.known(job));
      if (lead) {
        following.push({ job, target: lead.leader, rows: lead.until - lead.leader.computed });
        if (following.length === MOST_FOLLOWERS) return following;
        continue;
      }
      const setBacks = this.setBacks;
      while (!this.admit(job)) {
        const last = this.last();
        if (!last || last.priority >= job.priority) return following;
        this.setBack(last);
      }
      if (this.setBacks > setBacks) return following;
    }
    return following;
  }

  private admit(job: Job): boolean {
    if (this.running.length >= this.runner.limits.maxSequences || !this.pages.admit(job, this.running)) return false;
    this.waiting.remove(job);
    this.running.push(job);
    if (job.cached === null) this.counters.admitted(job);
    job.cached ??= job.computed;
    return true;
  }

  /** The running job that is set back first: of the lowest priority the youngest. */
  private last(): Job | undefined {
    return [...this.running].sort((a, b) => a.priority - b.priority || b.arrival - a.arrival)[0];
  }

  /** Gives `job` pages for positions up to `end`; jobs that matter less are set back for it. False: it was itself. */
  private reserve(job: Job, end: number): boolean {
    while (!this.pages.reserve(job, end)) {
      const last = this.last()!;
      if (this.running.length === 1) {
        this.end(job, new GemmaError("ERR_OUT_OF_MEMORY", `cache: ${end} positions do not fit its pages`));
      } else this.setBack(last);
      if (last === job) return false;
    }
    return true;
  }

  /** Takes a job's pages; it waits in front and is computed again, from the longest prefix still known. */
  private setBack(job: Job): void {
    this.pages.release(job);
    this.guesser.end(job);
    this.running.splice(this.running.indexOf(job), 1);
    job.computed = 0;
    this.waiting.putBack(job);
    this.setBacks++;
    this.counters.setBack();
  }

  private dropCancelled(): void {
    for (const job of this.jobs()) if (job.cancelled !== null) this.end(job, job.cancelled);
  }

  /** A copy: jobs leave their list while it is walked. */
  private jobs(): Job[] {
    return [...this.waiting.all(), ...this.running];
  }

  private end(job: Job, error: unknown): void {
    const index = this.running.indexOf(job);
    if (index >= 0) this.running.splice(index, 1);
    else if (!this.waiting.remove(job)) return; // ended before
    this.pages.release(job);
    this.pages.trim();
    this.guesser.end(job);
    if (error !== null && !job.finished) job.fail(error);
    this.onEnd(job);
  }

  /** Rows for prompts in a step of `newest` other rows. Results do not depend on their number. */
  private promptRows(newest: number): number {
    const jobs = this.jobs();
    const isLong = jobs.length === 1 || jobs.every(({ outputs }) => outputs !== "logits");
    const rows = Math.round((isLong ? LONG_STEP_MS : STEP_MS) / this.times.promptRowMs / PAGE_ROWS) * PAGE_ROWS;
    const most = Math.max(isLong ? LONG_STEP_LEAST_ROWS : LEAST_ROWS, rows);
    return Math.min(this.runner.limits.maxRows - newest, most);
  }
}

/** Whether each job computes its newest token, and maybe guesses behind it. */
function isDecoding(spans: readonly Span[]): boolean {
  return spans.every(({ count, draft }) => count - draft.length === 1);
}

function rowsOf(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + span.count, 0);
}

/** Rows beside the newest tokens. */
function promptRowsOf(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + (span.count === 1 ? 0 : span.count), 0);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Which rows of the step are looked at: those with logits first, then those with scores, then with hidden states. */
function wantedRows(spans: readonly Span[]) {
  const logits: { job: Job; row: number; position: number; drafted: readonly number[] }[] = [];
  const wanted = { logits, scores: [] as typeof logits, hidden: [] as typeof logits };
  let row = 0;
  for (const { job, start, count, draft } of spans) {
    const known = start + count - draft.length;
    for (let position = start; position < start + count; position++, row++) {
      if (position < job.firstOutput) continue;
      const drafted = draft.slice(0, Math.max(0, position + 1 - known));
      wanted[job.outputs].push({ job, row, position, drafted });
    }
  }
  const all = [...logits, ...wanted.scores, ...wanted.hidden];
  return { outputs: all.map((r) => r.row), wanted };
}
