import type { PullOptions } from "../load/pull.js";
import type { CliContext } from "./context.js";
import { createProgress } from "./progress.js";

/** Runs a pull, or anything that may begin with one, with its progress and notices on standard error. */
export async function withPullProgress<T>(
  { output, signal }: CliContext,
  work: (options: PullOptions) => Promise<T>,
): Promise<T> {
  const progress = createProgress();
  // A script that asked for JSON gets no progress lines in its log.
  const isShown = !output.json || process.stderr.isTTY;
  try {
    return await work({
      signal,
      onProgress: (event) => {
        if (isShown) progress.update(`${event.phase} ${event.file}`, event);
      },
      onNotice: (line) => {
        progress.end();
        output.note(line);
      },
    });
  } finally {
    progress.end();
  }
}
