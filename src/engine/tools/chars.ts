/** A step of reading: it yields where it needs more text, and returns what it has read. */
export type Reading<T> = Generator<undefined, T, undefined>;

export const isSpace = (c: string): boolean => c === " " || c === "\n" || c === "\t" || c === "\r";

/** A text that comes in pieces, read a character at a time. What was taken is held until it is clear what it was. */
export class Chars {
  /** What was taken since the last release. */
  private held = "";
  private piece = "";
  private at = 0;
  private ended = false;
  /** Characters taken so far. */
  taken = 0;
  /** Whether the line so far is white space. */
  isLineBlank = true;

  /** Adds a piece; the one before must have been read to its end. */
  feed(piece: string): void {
    this.piece = piece;
    this.at = 0;
  }

  end(): void {
    this.feed("");
    this.ended = true;
  }

  /** The next character, or "" at the end of the text. */
  *peek(): Reading<string> {
    while (this.at === this.piece.length && !this.ended) yield;
    return this.piece[this.at] ?? "";
  }

  /** Takes the character that `peek` has shown. */
  take(): void {
    const c = this.piece[this.at++]!;
    this.held += c;
    this.taken++;
    if (c === "\n") this.isLineBlank = true;
    else if (!isSpace(c)) this.isLineBlank = false;
  }

  /** Takes the next character if it is this one. */
  *takeIf(c: string): Reading<boolean> {
    if ((yield* this.peek()) !== c) return false;
    this.take();
    return true;
  }

  *skipSpace(): Reading<void> {
    while (isSpace(yield* this.peek())) this.take();
  }

  /** What was taken, which is forgotten here. */
  release(): string {
    const text = this.held;
    this.held = "";
    return text;
  }
}
