import { CommanderError } from "commander";
import { type ErrorCode, fromSystemError, GemmaError } from "../base/errors.js";
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

  const failure = withHint(toGemmaError(error));
  if (streams.env.GEMMA_DEBUG && error instanceof Error) streams.stderr.write(`${error.stack}\n`);
  if (json) {
    streams.stderr.write(`${JSON.stringify({ error: failure })}\n`);
  } else {
    const colors = colorsFor(streams.stderr, streams.env);
    // The list of broken lines is the only message of several.
    const [first = "", ...more] = failure.code === "ERR_BAD_DATA" ? failure.message.split("\n") : [failure.message];
    streams.stderr.write(`${colors.red("error:")} ${printable(first)}\n`);
    for (const line of more) streams.stderr.write(`  ${printable(line.trim())}\n`);
    for (const hint of failure.hint?.split("\n") ?? []) {
      streams.stderr.write(`${colors.cyan("hint:")} ${printable(hint)}\n`);
    }
  }
  return failure.code === "ERR_USAGE" ? EXIT.usage : EXIT.failed;
}

const DAMAGED = "the file is damaged or incomplete: fetch it again, or choose another";

/** What to do, for errors that did not say it themselves. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  ERR_TRUNCATED: DAMAGED,
  ERR_BAD_MAGIC: DAMAGED,
  ERR_OUT_OF_BOUNDS: DAMAGED,
  ERR_OVERLAP: DAMAGED,
  ERR_HOLE: DAMAGED,
  ERR_CHECKSUM: DAMAGED,
  ERR_UNSUPPORTED_ARCH: "this program runs Gemma 1, 2 and 3; choose such a model",
  ERR_MISSING_TENSOR: "the file must be a whole Gemma model; gemma inspect shows what a file has",
  ERR_BASE_MISMATCH: "choose with --model or --base the model that the adapter was trained on",
  ERR_MISSING_FILE: "check the path",
  ERR_IO: "check the path and its permissions; GEMMA_HOME moves the cache folder",
};

function withHint(error: GemmaError): GemmaError {
  const hint = error.hint ?? HINTS[error.code];
  return hint === undefined ? error : new GemmaError(error.code, error.message, { hint, cause: error });
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
