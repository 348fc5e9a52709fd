import { CommanderError } from "commander";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { colorsFor, type OutputStreams, printable } from "./output.js";

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Ctrl-C: the reason of the abort signal that commands receive. */
export class Interrupted extends Error {
  override readonly name = "AbortError";
}

/**
 * Reports why a command ended and returns the exit code: `error: message` and, where there are any, `hint: …` lines; with `--json`
 * one JSON line `{"error":{"code","message","hint"}}`. All on standard error, a stack trace only with GEMMA_DEBUG.
 */
export function reportFailure(
  error: unknown,
  json: boolean,
  streams: Pick<OutputStreams, "stderr" | "env"> = process,
): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  // Commander has shown its help or version already.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
  // No command given: commander has printed the help to standard error.
  if (error instanceof CommanderError && error.code === "commander.help" && !json) return EXIT.usage;

  const failure = toGemmaError(error);
  if (streams.env.GEMMA_DEBUG && error instanceof Error) streams.stderr.write(`${error.stack}\n`);
  if (json) {
    streams.stderr.write(`${JSON.stringify({ error: failure })}\n`);
  } else {
    const colors = colorsFor(streams.stderr, streams.env);
    streams.stderr.write(`${colors.red("error:")} ${printable(failure.message)}\n`);
    for (const hint of failure.hint?.split("\n") ?? []) {
      streams.stderr.write(`${colors.cyan("hint:")} ${printable(hint)}\n`);
    }
  }
  return failure.code === "ERR_USAGE" ? EXIT.usage : EXIT.failed;
}

function toGemmaError(error: unknown): GemmaError {
  if (error instanceof CommanderError) {
    if (error.code === "commander.help") return new GemmaError("ERR_USAGE", "gemma: a command is needed");
    const [message = "", ...more] = error.message.replace(/^error: /, "").split("\n");
    // Commander adds "(Did you mean run?)" on a second line.
    const suggestion = more.join(" ").replace(/^\(|\)$/g, "");
    return new GemmaError("ERR_USAGE", message, { hint: suggestion || "gemma --help lists commands and options" });
  }
  const known = fromSystemError(error, "gemma");
  if (known instanceof GemmaError) return known;
  const message = known instanceof Error ? known.message : String(known);
  return new GemmaError("ERR_INTERNAL", `unexpected: ${message}`, {
    cause: error,
    hint: "this is a bug; GEMMA_DEBUG=1 shows where it happened",
  });
}
