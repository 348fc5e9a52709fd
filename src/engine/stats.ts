import { PAGE_ROWS } from "../backend/kv.js";
import type { Job } from "./job.js";
import type { Span } from "./step.js";

/** Pages of a cache group. */
export interface PageStats {
  readonly total: number;
  /** Held by nobody. */
  readonly free: number;
  /** Held by remembered prefixes alone: given up when pages run out. */
  readonly remembered: number;
}

/** What an engine is doing, and what it has done since it was loaded. */
export interface EngineStats {
  /** Requests that wait. */
  readonly waiting: number;
  /** Requests that are computed. */
  readonly running: number;
  /** Positions in a page. */
  readonly pageRows: number;
  /** One a cache group. */
  readonly pages: readonly PageStats[];
  /** Of prompts that were begun. */
  readonly promptTokens: number;
  /** Of these, those that came from a remembered prefix. */
  readonly cachedTokens: number;
  /** Rows of prompts that were computed; also those of set-back requests, computed again. */
  readonly computedTokens: number;
  readonly generatedTokens: number;
  /** How often a request was set back because others needed its place. */
  readonly preemptions: number;
  readonly steps: number;
  /** Tokens that were guessed and computed before they were sampled. */
  readonly proposedTokens: number;
  /** How many of these were then sampled. */
  readonly acceptedTokens: number;
}

type Counts = Omit<EngineStats, "waiting" | "running" | "pageRows" | "pages">;

/** Counts what an engine does. */
export class EngineCounters {
  private readonly counts: { -readonly [K in keyof Counts]: number } = {
    promptTokens: 0,
    cachedTokens: 0,
    computedTokens: 0,
    generatedTokens: 0,
    preemptions: 0,
    steps: 0,
    proposedTokens: 0,
    acceptedTokens: 0,
  };
  private readonly furthest = new WeakMap<Job, number>(); // positions that were computed at least once

  /** A job has its pages for the first time. */
  admitted(job: Job): void {
    this.counts.promptTokens += job.promptLength;
    this.counts.cachedTokens += job.computed;
  }

  setBack(): void {
    this.counts.preemptions++;
  }

  /** A step was computed. */
  step(spans: readonly Span[]): void {
    this.counts.steps++;
    for (const { job, start, count, draft } of spans) {
      const end = start + count - draft.length;
      const known = Math.max(job.promptLength, this.furthest.get(job) ?? 0);
      this.counts.computedTokens += Math.max(0, Math.min(end, known) - start);
      this.furthest.set(job, Math.max(end, this.furthest.get(job) ?? 0));
      this.counts.proposedTokens += draft.length;
    }
  }

  /** The step's outcomes were taken; the span's job had `length` tokens before. */
  outcome({ job, draft }: Span, length: number): void {
    this.counts.generatedTokens += job.tokens.length - length;
    let accepted = 0;
    while (accepted < draft.length && job.tokens[length + accepted] === draft[accepted]) accepted++;
    this.counts.acceptedTokens += accepted;
  }

  stats(waiting: number, running: number, pages: readonly PageStats[]): EngineStats {
    return { waiting, running, pageRows: PAGE_ROWS, pages, ...this.counts };
  }
}
