import { type OutputStreams, printable } from "./output.js";

const REDRAW_MS = 100;
const SPARSE_MS = 10_000;

/** Columns of a terminal; one that does not know its size, as in some containers, says 0. */
export function widthOf({ columns }: { readonly columns?: number }): number {
  return columns || 80;
}

/** What goes on, on standard error: one line that is redrawn in a terminal, a line every ten seconds elsewhere. */
export class StatusLine {
  private isDrawn = false;

  /** @param shownMs  when something was shown last, by `now`. Default: this moment */
  constructor(
    private readonly stream: OutputStreams["stderr"] & { readonly columns?: number } = process.stderr,
    private readonly now: () => number = () => performance.now(),
    private shownMs: number = now(),
  ) {}

  /** @param isLast  show it, however little time has gone by */
  update(describe: () => string, isLast = false): void {
    const timeMs = this.now();
    if (!isLast && timeMs - this.shownMs < (this.stream.isTTY ? REDRAW_MS : SPARSE_MS)) return;
    this.shownMs = timeMs;
    const line = printable(describe());
    if (this.stream.isTTY) this.stream.write(`\r${line.slice(0, widthOf(this.stream) - 1)}\u001b[K`);
    else this.stream.write(`${line}\n`);
    this.isDrawn = this.stream.isTTY === true;
  }

  /** Takes the line away, for one that stays. */
  clear(): void {
    if (this.isDrawn) this.stream.write("\r\u001b[K");
    this.isDrawn = false;
  }

  /** Ends the line. Call it also after a failure, before the message. */
  end(): void {
    if (this.isDrawn) this.stream.write("\n");
    this.isDrawn = false;
  }
}
