import type { SampleRow } from "../backend/ops/sample.js";
import type { StreamDecoder } from "../tokenizer/decode.js";
import type { Guesses } from "./draft-rows.js";
import { Job, type JobTerms, type RowResult, type TokenLogProb } from "./job.js";
import type { ResolvedOptions } from "./options.js";
import { PromptLookup } from "./prompt-lookup.js";
import { StopMatcher } from "./stop.js";

/** "stop": an end-of-sequence token or a stop string. "length": maxTokens or the context is reached. */
export type FinishReason = "stop" | "length";

/** What one generated token adds. */
export interface Piece {
  /** Text that is complete and safe to show; may be empty. */
  readonly text: string;
  /** null in the last piece of a text that ended without one. */
  readonly id: number | null;
  readonly logprob: TokenLogProb | null;
}

/** How a generation came about. */
export interface GenerationCounts {
  /** Tokens computed before they were sampled. */
  readonly proposed: number;
  /** How many of these were then sampled. */
  readonly accepted: number;
  /** Of the prompt, tokens that came from a remembered prefix. */
  readonly cached: number;
  /** From the request to the first step that computed it. */
  readonly queueMs: number;
}

export const NO_COUNTS: GenerationCounts = { proposed: 0, accepted: 0, cached: 0, queueMs: 0 };

/** Where a generation's output goes. */
export interface GenerationSink {
  piece(piece: Piece): void;
  done(reason: FinishReason, counts: GenerationCounts): void;
  fail(error: unknown): void;
}

/** Allowed tokens of a constrained generation, computed elsewhere while the next step runs. */
export interface TokenMask {
  /** Words of 32 ids for the next token; undefined while they are being computed. */
  readonly bits: Uint32Array | undefined;
  accept(id: number): void;
  /** null: nothing is being computed. */
  whenReady(): Promise<void> | null;
  close(): void;
}

export interface GenerationSetup {
  readonly prompt: readonly number[];
  readonly options: ResolvedOptions;
  readonly terms: JobTerms;
  readonly eosIds: ReadonlySet<number>;
  readonly contextLength: number;
  /** null: no text, only ids. */
  readonly decoder: StreamDecoder | null;
  readonly mask: TokenMask | null;
}

/** Continues a prompt, token by token. */
export class GenerateJob extends Job {
  private readonly counts = new Map<number, number>(); // in the generated text; 0: in the prompt only
  private readonly stops: StopMatcher;
  private readonly penalised: boolean;
  private readonly lookup: PromptLookup | null;
  private proposed = 0;
  private accepted = 0;
  private pending: readonly number[] = []; // guesses that are computed and not judged yet
  private late = false; // the mask was not there when the last step wanted it

  constructor(
    private readonly setup: GenerationSetup,
    private readonly sink: GenerationSink,
  ) {
    super(setup.prompt, "logits", setup.terms, setup.options.logprobs);
    this.stops = new StopMatcher(setup.options.stop);
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = setup.options.sampling;
    this.penalised = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
    if (this.penalised) for (const id of setup.prompt) this.counts.set(id, 0);
    this.lookup = setup.options.promptLookup && setup.mask === null ? new PromptLookup(this.tokens) : null;
  }

  override get firstOutput(): number {
    return this.tokens.length - 1;
  }

  override get ready(): boolean {
    return !this.late || this.setup.mask?.bits !== undefined;
  }

  override whenReady(): Promise<void> | null {
    return this.setup.mask?.whenReady() ?? null;
  }

  override get mostGuesses(): number {
    const { options, contextLength, mask } = this.setup;
    if (mask !== null) return 0; // what it allows behind a guess is not known before the guess is right
    return Math.min(this.promptLength + options.maxTokens, contextLength) - this.tokens.length - 1;
  }

  override get guesses(): Guesses | null {
    return this.lookup?.hasGuess ? { trust: this.lookup.trust, most: this.mostGuesses } : null;
  }

  override draft(count: number): readonly number[] {
    return this.lookup?.draft(count) ?? [];
  }

  override propose(draft: readonly number[]): void {
    this.proposed += draft.length;
    this.pending = draft;
  }

  override sampleRow(drafted: readonly number[]): SampleRow {
    const { options, mask } = this.setup;
    const counts = this.penalised && drafted.length > 0 ? new Map(this.counts) : this.counts;
    if (this.penalised) for (const id of drafted) counts.set(id, (counts.get(id) ?? 0) + 1);
    return {
      ...options.sampling,
      mask: mask?.bits ?? null,
      biasIds: options.biasIds,
      biasValues: options.biasValues,
      penaltyIds: Int32Array.from(counts.keys()),
      penaltyCounts: Int32Array.from(counts.values()),
      index: this.tokens.length + drafted.length - this.promptLength,
    };
  }

  override accept({ position, id, logprob }: RowResult): void {
    const { eosIds, options, mask, decoder, contextLength } = this.setup;
    if (this.cancelled !== null) return; // maybe by the piece before
    this.late = mask !== null && mask.bits === undefined;
    this.computed = position + Number(!this.late); // a late mask's position is computed again once it is there
    if (this.late) return;
    if (id < 0 || (eosIds.has(id) && (!options.ignoreEos || mask !== null))) {
      this.end("stop"); // -1: the mask allows nothing more
      return;
    }
    this.tokens.push(id);
    if (this.pending[0] === id) this.accepted++;
    this.pending = this.pending[0] === id ? this.pending.slice(1) : [];
    if (this.penalised) this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
    this.lookup?.next();
    const text = this.stops.push(decoder?.push(id) ?? "");
    this.sink.piece({ text, id, logprob });
    const generated = this.tokens.length - this.promptLength;
    if (this.stops.found !== null) this.end("stop");
    else if (generated >= options.maxTokens || this.tokens.length >= contextLength) this.end("length");
    else mask?.accept(id);
  }

  override fail(error: unknown): void {
    this.finished = true;
    this.setup.mask?.close();
    this.sink.fail(error);
  }

  private end(reason: FinishReason): void {
    this.finished = true;
    this.setup.mask?.close();
    const rest = this.stops.push(this.setup.decoder?.end() ?? "") + this.stops.end();
    if (rest !== "") this.sink.piece({ text: rest, id: null, logprob: null });
    const { proposed, accepted, cached } = this;
    const { since } = this.terms;
    const queueMs = (this.startedAt ?? since) - since;
    this.sink.done(reason, { proposed, accepted, cached: cached ?? 0, queueMs });
  }
}
