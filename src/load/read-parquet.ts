import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { GemmaError } from "../base/errors.js";
import { fileSource } from "./file-source.js";
import { packageRoot } from "./package-root.js";

/** Of the process: a batch of rows takes a few MB, and V8 ends what asks for more. */
const HEAP_MB = 1024;
/** Longest silence: a batch of rows takes milliseconds. */
const STALL_MS = 60_000;
const MAX_TEXT = 1 << 30;
const PROGRAM = join(packageRoot(), "dist/load/parquet-process.js");

/**
 * The rows of Parquet files, in order, each with the index of its file. They are read in a process of their own: the
 * reader believes the counts that a file states, and one that lies would take all memory or never end.
 *
 * @param describe names a file for messages, by its index
 * @throws ERR_BAD_MAGIC, ERR_INVALID_HEADER for a file that is no whole Parquet file, ERR_LIMIT_EXCEEDED for one that
 *   takes too much memory, time or text
 */
export async function* readParquet(
  paths: readonly string[],
  describe: (file: number) => string,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly file: number; readonly row: Record<string, unknown> }> {
  for (const [i, path] of paths.entries()) expectParquet(path, describe(i));
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, PROGRAM, ...paths], {
    env: {}, // a reader of files has no business with the environment
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stalled = false;
  let timer: NodeJS.Timeout | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stalled = true;
      child.kill("SIGKILL");
    }, STALL_MS);
  };
  const onAbort = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", onAbort);
  let errorText = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errorText = (errorText + text).slice(-2000);
  });
  const ended = new Promise<string | number | null>((resolve) => {
    child.on("close", (code, killedBy) => resolve(killedBy ?? code));
    child.on("error", (error) => {
      errorText ||= error.message;
      resolve(null);
    });
  });
  let file = 0;
  let size = 0;
  try {
    watch();
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      watch();
      size += line.length;
      if (size > MAX_TEXT) throw tooLarge(describe(file), `at most ${MAX_TEXT} characters`, "more");
      if (line === "") file++;
      else yield { file, row: JSON.parse(line) as Record<string, unknown> };
    }
    const end = await ended;
    signal?.throwIfAborted();
    if (stalled) throw tooLarge(describe(file), `rows every ${STALL_MS / 1000} s`, "none");
    if (end === 0 && file === paths.length) return;
    if (end !== 1) throw tooLarge(describe(file), `at most ${HEAP_MB} MB`, `a reader that ended with ${end}`);
    throw new GemmaError("ERR_INVALID_HEADER", `${describe(file)}: must be a whole Parquet file, got: ${errorText}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
    await ended;
  }
}

function expectParquet(path: string, where: string): void {
  const source = fileSource(path);
  try {
    const mark = (at: number) => (at < 0 ? "" : new TextDecoder("latin1").decode(source.read(at, 4)));
    if (source.sizeBytes >= 12 && mark(0) === "PAR1" && mark(source.sizeBytes - 4) === "PAR1") return;
  } finally {
    source.close();
  }
  throw new GemmaError("ERR_BAD_MAGIC", `${where}: must be a Parquet file (PAR1 at both ends), got other bytes`, {
    hint: "pull it again: gemma pull hf:datasets/OWNER/NAME checks the hash",
  });
}

function tooLarge(where: string, must: string, got: string): GemmaError {
  return new GemmaError("ERR_LIMIT_EXCEEDED", `${where}: must be read with ${must}, got ${got}`);
}
