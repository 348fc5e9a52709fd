import picocolors from "picocolors";

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What a command writes with. Human text goes through `line` and `write`, data for scripts through `data`. */
export interface Output {
  /** Was `--json` given? Then standard output carries JSON and nothing else. */
  readonly json: boolean;
  /** Colours for standard output; plain text when it is not a terminal or NO_COLOR is set. */
  readonly colors: Colors;
  /** One line for people on standard output; nothing with `--json`. */
  line(text?: string): void;
  /**
   * A streamed answer on standard output, nothing with `--json`. As it is into pipes and files; a terminal gets no control
   * characters but line breaks and tabs, for a model's text must not steer it.
   */
  write(text: string): void;
  /** One JSON document, on a line of its own, on standard output; nothing without `--json`. */
  data(value: unknown): void;
  /**
   * One line on standard error: what happens, not the result. With `--json` only where a person looks on: a script that
   * reads standard error finds nothing but the error there.
   */
  note(text: string): void;
}

interface TextStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface OutputStreams {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @param json  true with `--json`; @param streams  the process's own, or a test's */
export function createOutput(json: boolean, streams: OutputStreams = process): Output {
  const human = (text: string) => {
    if (!json) streams.stdout.write(text);
  };
  return {
    json,
    colors: colorsFor(streams.stdout, streams.env),
    line: (text = "") => human(`${text}\n`),
    write: (text) => human(streams.stdout.isTTY ? withoutControls(text) : text),
    data: (value) => {
      if (json) streams.stdout.write(`${JSON.stringify(value)}\n`);
    },
    note: (text) => {
      if (!json || streams.stderr.isTTY) streams.stderr.write(`${printable(text)}\n`);
    },
  };
}

export function colorsFor(stream: TextStream, env: OutputStreams["env"]): Colors {
  return picocolors.createColors(stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb");
}

/** One line without control characters: names inside a file must not move the cursor or reorder text. */
export function printable(text: string): string {
  return text.replace(/\s*[\t\r\n]\s*/g, " ").replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd");
}

function withoutControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}

/** For a command that goes on when nobody reads its output any more: in place of endQuietlyOnClosedPipe. */
export function surviveClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error").on("error", () => {});
}

/** `gemma … | head -1` closes our output early: that is the reader's choice, so end quietly with 0. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
}
