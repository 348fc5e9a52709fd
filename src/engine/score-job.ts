import { Job, type JobTerms, type RowResult, type TokenLogProb } from "./job.js";

export interface ScoreResult {
  /** Of tokens first + 1 on: log p(token | all before it). */
  readonly logprobs: readonly TokenLogProb[];
  /** Of the ids asked for behind the last token, in their order. */
  readonly after: readonly TokenLogProb[];
}

export interface ScoreSetup {
  readonly ids: readonly number[];
  /** The first position whose row is looked at: tokens from `first + 1` on are scored. */
  readonly first: number;
  /** Ids that may follow the last token: one row tells about all of them, and none has to be computed itself. */
  readonly after: readonly number[];
  readonly terms: JobTerms;
  /** Alternatives with each log-probability. */
  readonly top: number;
  /** Receives the logits [V] of each row from `first` on, in order; null: not wanted. */
  readonly onLogits: ((position: number, logits: Float32Array) => void) | null;
}

/** Log-probabilities of given tokens. */
export class ScoreJob extends Job {
  private next: number;
  private readonly logprobs: TokenLogProb[] = [];
  private after: readonly TokenLogProb[] = [];

  constructor(
    private readonly setup: ScoreSetup,
    private readonly sink: { done(result: ScoreResult): void; fail(error: unknown): void },
  ) {
    const outputs = setup.onLogits === null && setup.top <= 1 ? "scores" : "logits";
    super(setup.ids, outputs, setup.terms, setup.top, setup.onLogits !== null);
    this.next = setup.first;
  }

  override get firstOutput(): number {
    return this.next; // rows already seen are not looked at again after a set-back
  }

  override targets(position: number): readonly number[] {
    const { ids, after } = this.setup;
    return position === ids.length - 1 && after.length > 0 ? after : super.targets(position);
  }

  override accept({ position, id, logprob, others, logits }: RowResult): void {
    this.next = position + 1;
    if (logits) this.setup.onLogits?.(position, logits);
    if (id < 0 || !logprob) return;
    if (position === this.setup.ids.length - 1) this.after = [logprob, ...others];
    else this.logprobs.push(logprob);
  }

  override complete(): void {
    this.finished = true;
    this.sink.done({ logprobs: this.logprobs, after: this.after });
  }

  override fail(error: unknown): void {
    this.finished = true;
    this.sink.fail(error);
  }
}
