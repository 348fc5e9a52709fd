import type { SampleRow } from "../backend/ops/sample.js";
import type { Adapter } from "../model/adapter.js";
import type { StreamDecoder } from "../tokenizer/decode.js";
import { Job, type RowResult, type TokenLogProb } from "./job.js";
import type { ResolvedOptions } from "./options.js";
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

/** Where a generation's output goes. */
export interface GenerationSink {
  piece(piece: Piece): void;
  done(reason: FinishReason): void;
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
  readonly adapter: Adapter | null;
  readonly eosIds: ReadonlySet<number>;
  readonly contextLength: number;
  /** null: no text, only ids. */
  readonly decoder: StreamDecoder | null;
  readonly mask: TokenMask | null;
}

/** Continues a prompt, token by token. */
export class GenerateJob extends Job {
  private readonly promptLength: number;
  private readonly counts = new Map<number, number>(); // in the generated text; 0: in the prompt only
  private readonly stops: StopMatcher;
  private readonly penalised: boolean;
  private late = false; // the mask was not there when the last step wanted it

  constructor(
    private readonly setup: GenerationSetup,
    private readonly sink: GenerationSink,
  ) {
    super(setup.prompt, "logits", setup.adapter, setup.options.logprobs);
    this.promptLength = setup.prompt.length;
    this.stops = new StopMatcher(setup.options.stop);
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = setup.options.sampling;
    this.penalised = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
    if (this.penalised) for (const id of setup.prompt) this.counts.set(id, 0);
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

  override sampleRow(): SampleRow {
    const { options, mask } = this.setup;
    return {
      ...options.sampling,
      mask: mask?.bits ?? null,
      biasIds: options.biasIds,
      biasValues: options.biasValues,
      penaltyIds: Int32Array.from(this.penalised ? this.counts.keys() : []),
      penaltyCounts: Int32Array.from(this.penalised ? this.counts.values() : []),
      index: this.tokens.length - this.promptLength,
    };
  }

  override accept({ id, logprob }: RowResult): void {
    const { eosIds, options, mask, decoder, contextLength } = this.setup;
    this.late = mask !== null && mask.bits === undefined;
    if (this.late) {
      this.computed--; // the last position is computed again once the mask is there
      return;
    }
    if (id < 0 || (eosIds.has(id) && (!options.ignoreEos || mask !== null))) {
      this.end("stop"); // -1: the mask allows nothing more
      return;
    }
    this.tokens.push(id);
    if (this.penalised) this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
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
    this.sink.done(reason);
  }
}
