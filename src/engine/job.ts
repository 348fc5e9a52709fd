import type { SampleRow } from "../backend/ops/sample.js";
import type { Adapter } from "../model/adapter.js";
import type { LoadedAdapter } from "./adapters.js";
import type { Guesses } from "./draft-rows.js";
import { deadlineError, type ResolvedRequest } from "./options.js";
import type { Queued } from "./queue.js";

/** What the model says about one token: natural log-probabilities, the most likely alternatives first. */
export interface TokenLogProb {
  readonly id: number;
  readonly logprob: number;
  readonly top: readonly { readonly id: number; readonly logprob: number }[];
}

/** One row's outcome of a step. */
export interface RowResult {
  /** Position of the row in its sequence. */
  readonly position: number;
  /** The sampled token; for scoring the token that follows, or -1 behind the last. */
  readonly id: number;
  readonly logprob: TokenLogProb | null;
  /** Of further targets, in their order. */
  readonly others: readonly TokenLogProb[];
  /** Copy of the logits [V], where the job asked for them. */
  readonly logits: Float32Array | null;
}

/** What a request says about itself, whatever it asks for. */
export interface JobTerms extends ResolvedRequest {
  readonly adapter: LoadedAdapter | null;
}

/** What keys of an adapter's prefixes begin with. */
export function prefixKey(adapterId: number, salt = ""): string {
  return `${adapterId} ${salt}`;
}

/** A sequence under work: its tokens, its pages and what is wanted of its rows. Subclasses say what happens to results. */
export abstract class Job implements Queued {
  /** Prompt, then what was generated. */
  readonly tokens: number[];
  /** Positions whose keys and values are in the cache. */
  computed = 0;
  /** Page numbers, [group][block]; -1 where given back. Empty while waiting. */
  pages: number[][] = [];
  /** In shared memory; not 0: the caller gave the job up. */
  flag: Int32Array | null = null;
  private reason: unknown = null;
  finished = false;
  arrival = 0;
  readonly promptLength: number;
  /** Positions that came from a remembered prefix when it was admitted for the first time; null: it was not yet. */
  cached: number | null = null;
  /** When its first step began, on the clock of performance.now(). */
  startedAt: number | null = null;

  /**
   * @param outputs what is wanted of the rows from `firstOutput` on: logits and what depends on them, log-probabilities
   *   with one alternative at most, or final hidden states
   * @param alternatives alternatives wanted with each log-probability; null: no log-probabilities
   */
  constructor(
    tokens: readonly number[],
    readonly outputs: "logits" | "scores" | "hidden",
    readonly terms: JobTerms,
    readonly alternatives: number | null,
    readonly wantsLogits = false,
  ) {
    this.tokens = [...tokens];
    this.promptLength = tokens.length;
  }

  get adapter(): Adapter | null {
    return this.terms.adapter?.adapter ?? null;
  }

  /** 0: none. */
  get adapterId(): number {
    return this.terms.adapter?.id ?? 0;
  }

  get tenant(): string {
    return this.terms.tenant;
  }

  get priority(): number {
    return this.terms.priority;
  }

  /** Jobs with equal keys share what they computed of equal prefixes. */
  get prefixKey(): string {
    return prefixKey(this.adapterId, this.terms.salt);
  }

  /** Why the job was given up, or null; the scheduler drops it before its next step. */
  get cancelled(): unknown {
    if (this.flag && Atomics.load(this.flag, 0) !== 0) this.cancel(null);
    const now = performance.now();
    if (now >= this.terms.deadline) this.cancel(deadlineError(this.terms, now));
    return this.reason;
  }

  cancel(reason: unknown): void {
    this.reason ??= reason ?? new DOMException("the request was cancelled", "AbortError");
  }

  /** Rows that the next steps must compute before the job can go on. */
  get remaining(): number {
    return this.tokens.length - this.computed;
  }

  /** Position of the first row that is looked at. Rows before it may come from a remembered prefix. */
  abstract get firstOutput(): number;

  /** Whether the next step may take this job; false while its grammar mask is late. */
  get ready(): boolean {
    return true;
  }

  /** Resolves when what the next sample needs is there; null: it is there. */
  whenReady(): Promise<void> | null {
    return null;
  }

  /** How many guesses behind the last token can be of use. */
  get mostGuesses(): number {
    return 0;
  }

  /** What the job guesses of the tokens behind the last one by itself; null: nothing. */
  get guesses(): Guesses | null {
    return null;
  }

  /** Its next `count` guesses. */
  draft(_count: number): readonly number[] {
    return [];
  }

  /** These guesses are computed behind the last token; accept() is called for those that are right. */
  propose(_draft: readonly number[]): void {}

  /** Ids whose log-probabilities behind `position` are wanted, where nothing is sampled; -1: none. At least one. */
  targets(position: number): readonly number[] {
    return [this.tokens[position + 1] ?? -1];
  }

  /** Sampling parameters of the token behind `drafted`, or null for a job that samples nothing. */
  sampleRow(_drafted: readonly number[]): SampleRow | null {
    return null;
  }

  /** Takes a row's logits outcome. */
  accept(_result: RowResult): void {}

  /** Takes a row's final hidden state [D]; the array is reused. */
  acceptHidden(_hidden: Float32Array): void {}

  /** Called when every row is computed. A job that samples has grown by then, or is finished. */
  complete(): void {}

  /** Called once when the job cannot go on. */
  abstract fail(error: unknown): void;
}
