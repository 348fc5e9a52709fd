import { type OutputStreams, printable } from "./output.js";

const REDRAW_MS = 100;
const SPARSE_MS = 10_000;

/** What goes on, on standard error: one line that is redrawn in a terminal, a line every ten seconds elsewhere. */
export class StatusLine {
  private shownMs = performance.now();
  private isDrawn = false;

  constructor(private readonly stream: OutputStreams["stderr"] & { readonly columns?: number } = process.stderr) {}

  update(describe: () => string): void {
    const timeMs = performance.now();
    if (timeMs - this.shownMs < (this.stream.isTTY ? REDRAW_MS : SPARSE_MS)) return;
    this.shownMs = timeMs;
    const line = printable(describe());
    if (this.stream.isTTY) this.stream.write(`\r${line.slice(0, (this.stream.columns ?? 80) - 1)}\u001b[K`);
    else this.stream.write(`${line}\n`);
    this.isDrawn = this.stream.isTTY === true;
  }

  /** Ends the line. Call it also after a failure, before the message. */
  end(): void {
    if (this.isDrawn) this.stream.write("\n");
    this.isDrawn = false;
  }
}
