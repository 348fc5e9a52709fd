import type { Output } from "./output.js";

/** What every command gets. A command file exports `register(program, context)` and imports what is heavy in its action. */
export interface CliContext {
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
