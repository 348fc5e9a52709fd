import { readFile, stat } from "node:fs/promises";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import { csvRows } from "../../format/csv.js";
import { parseJson } from "../../format/json.js";
import { isBlank, linesOf, parseObject, toPlain } from "../../format/json-lines.js";
import { decodeUtf8 } from "../../format/utf8.js";
import type { DataRecord, DataRow, ExampleSource } from "./source.js";

const MAX_FILE_BYTES = 1 << 29;

/**
 * The rows of a file: JSON lines (`.jsonl`, `.ndjson`, `.json`), a JSON array (`.json`) or CSV with a head (`.csv`).
 * Lines have 16 MiB at most, arrays 128 MiB, files 512 MiB.
 *
 * @throws ERR_USAGE for another name; ERR_MISSING_FILE, ERR_IO, ERR_LIMIT_EXCEEDED; ERR_INVALID_UTF8, ERR_INVALID_JSON or
 *   ERR_INVALID_HEADER where a whole file cannot be read
 */
export async function fileSource(path: string): Promise<ExampleSource> {
  const ending = /\.(jsonl|ndjson|json|csv)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === undefined) {
    throw new GemmaError("ERR_USAGE", `${path}: must end with .jsonl, .ndjson, .json or .csv`, {
      hint: "unpack or convert the file first; Parquet is read from the hub: hf:OWNER/NAME",
    });
  }
  const bytes = await contentOf(path);
  const read = () => {
    if (ending === "csv") return rowsOfCsv(bytes, path);
    return ending === "json" && isArray(bytes) ? arrayRows(bytes, path) : lineRows(bytes, path);
  };
  return { name: path, records: read };
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new GemmaError("ERR_IO", `${path}: must be a file, got a folder or a device`);
    if (info.size > MAX_FILE_BYTES) {
      throw new GemmaError(
        "ERR_LIMIT_EXCEEDED",
        `${path}: must have at most ${MAX_FILE_BYTES} bytes, got ${info.size}`,
      );
    }
    return await readFile(path);
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

function* lineRows(bytes: Uint8Array, path: string): Generator<DataRecord> {
  let line = 0;
  for (const piece of linesOf(bytes)) {
    line++;
    if (!isBlank(piece)) yield attempt(`${path}:${line}`, (at) => parseObject(piece, at));
  }
}

/** Entry i is `path[i]`, from 0. */
function* arrayRows(bytes: Uint8Array, path: string): Generator<DataRecord> {
  const values = parseJson(decodeUtf8(bytes, path).replace(/^\ufeff/, ""), path) as readonly unknown[];
  for (const [i, value] of values.entries()) {
    yield attempt(`${path}[${i}]`, (at) => {
      if (value instanceof Map) return toPlain(value, at) as DataRow;
      throw new GemmaError("ERR_INVALID_JSON", `${at}: must be a JSON object, got ${kindOf(value)}`);
    });
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return value === null ? "null" : `a ${typeof value}`;
}

function isArray(bytes: Uint8Array): boolean {
  return /^[\ufeff\s]*\[/.test(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 1000)));
}

/** Every value is a text; an empty field is none. */
function* rowsOfCsv(bytes: Uint8Array, path: string): Generator<DataRecord> {
  for (const record of csvRows(decodeUtf8(bytes, path), path)) {
    const at = `${path}:${record.line}`;
    if ("problem" in record) yield { at, problem: record.problem };
    else yield { at, row: Object.fromEntries(Object.entries(record.row).filter(([, value]) => value !== "")) };
  }
}

function attempt(at: string, read: (at: string) => DataRow): DataRecord {
  try {
    return { at, row: read(at) };
  } catch (error) {
    if (!(error instanceof GemmaError)) throw error;
    const start = `${at}: `;
    return { at, problem: error.message.startsWith(start) ? error.message.slice(start.length) : error.message };
  }
}
