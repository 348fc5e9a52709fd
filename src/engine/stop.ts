/**
 * Finds stop strings in a stream of text, also across the borders of its pieces. Text that may still turn out to be
 * the start of a stop string is held back.
 */
export class StopMatcher {
  private held = "";
  private readonly longest: number;
  /** The stop string that was found. */
  found: string | null = null;

  constructor(private readonly stops: readonly string[]) {
    this.longest = Math.max(0, ...stops.map((s) => s.length));
  }

  /** Takes a piece and returns the text that is safe to show. After a match: the text before it, then nothing. */
  push(piece: string): string {
    if (this.found !== null) return "";
    const text = this.held + piece;
    let at = text.length + 1;
    for (const stop of this.stops) {
      const index = text.indexOf(stop);
      if (index >= 0 && index < at) {
        at = index;
        this.found = stop;
      }
    }
    if (this.found !== null) {
      this.held = "";
      return text.slice(0, at);
    }
    const keep = this.overlap(text);
    this.held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }

  /** The text held back, once no more comes. */
  end(): string {
    const rest = this.held;
    this.held = "";
    return rest;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  private overlap(text: string): number {
    for (let length = Math.min(this.longest - 1, text.length); length > 0; length--) {
      const end = text.slice(text.length - length);
      if (this.stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
