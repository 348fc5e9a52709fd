import { addAbortSignal, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { GemmaError } from "../base/errors.js";
import { type JsonObject, parseJson } from "../format/json.js";

/**
 * The prompt given as an argument, or all of standard input where there is none (or `-`).
 * @throws ERR_USAGE; an AbortError when `signal` aborts while input is awaited
 */
export async function readPrompt(argument: string | undefined, signal: AbortSignal): Promise<string> {
  if (argument !== undefined && argument !== "-") return argument;
  if (argument === undefined && process.stdin.isTTY) {
    throw new GemmaError("ERR_USAGE", "a text is needed, as an argument or on standard input", {
      hint: 'gemma run "Once upon a time"',
    });
  }
  return (await text(addAbortSignal(signal, process.stdin))).replace(/\n$/, "");
}

/** JSON objects, one a line of standard input; empty lines are skipped. @throws ERR_INVALID_JSON with the line's number */
export async function* jsonLines(
  signal: AbortSignal,
  input: Readable = process.stdin,
): AsyncGenerator<{ line: number; object: JsonObject }> {
  let line = 0;
  for await (const row of linesOf(addAbortSignal(signal, input).setEncoding("utf8"))) {
    line++;
    if (row.trim() === "") continue;
    const object = parseJson(row, `standard input, line ${line}`);
    if (!(object instanceof Map)) {
      throw new GemmaError("ERR_INVALID_JSON", `standard input, line ${line}: must be a JSON object`);
    }
    yield { line, object };
  }
}

/** Cut at line feeds alone: node:readline also cuts at U+2028 (from Node 24 on), which JSON strings may hold as it is. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let pending: string[] = []; // the pieces of a line that has not ended
  for await (const chunk of chunks) {
    const [first = "", ...rest] = chunk.split("\n");
    pending.push(first);
    for (const part of rest) {
      yield pending.join("");
      pending = [part];
    }
  }
  yield pending.join("");
}

/** Token ids out of JSON. @throws ERR_INVALID_VALUE `standard input, line 3: must be an array of token ids` */
export function tokenIds(value: unknown, where: string): number[] {
  if (Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0)) return value;
  throw new GemmaError("ERR_INVALID_VALUE", `${where}: must be an array of token ids`);
}
