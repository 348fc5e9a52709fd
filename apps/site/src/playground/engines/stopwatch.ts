import type { Measures } from "../engine.js";

/** Times of an answer as the page sees them. */
export class Stopwatch {
  private readonly since = performance.now();
  private first: number | undefined;
  private last = 0;

  /** Some of the answer has come. */
  tick(): void {
    this.last = performance.now();
    this.first ??= this.last;
  }

  measures(tokens: number): Measures {
    const first = this.first ?? this.since;
    return { tokens, firstTokenMs: first - this.since, decodeMs: Math.max(0, this.last - first) };
  }
}
