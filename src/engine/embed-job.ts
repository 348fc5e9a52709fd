import { Job, type JobTerms } from "./job.js";

/** Mean of the final hidden states over all tokens [D], scaled to length 1: an embedding of the text. */
export class EmbedJob extends Job {
  private readonly sum: Float64Array;
  private rows = 0;

  constructor(
    ids: readonly number[],
    width: number,
    terms: JobTerms,
    private readonly sink: { done(embedding: Float32Array): void; fail(error: unknown): void },
  ) {
    super(ids, "hidden", terms, null);
    this.sum = new Float64Array(width);
  }

  override get firstOutput(): number {
    return this.rows; // rows already summed are not summed again after a set-back
  }

  override acceptHidden(hidden: Float32Array): void {
    this.rows++;
    for (let d = 0; d < hidden.length; d++) this.sum[d]! += hidden[d]!;
  }

  override complete(): void {
    this.finished = true;
    const length = Math.hypot(...this.sum) || 1;
    this.sink.done(Float32Array.from(this.sum, (value) => value / length));
  }

  override fail(error: unknown): void {
    this.finished = true;
    this.sink.fail(error);
  }
}
