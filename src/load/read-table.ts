import { gunzipSync } from "node:zlib";
import { GemmaError } from "../base/errors.js";
import { csvRows } from "../format/csv.js";
import { parseJson } from "../format/json.js";
import { isBlank, linesOf, parseObject, toPlain } from "../format/json-lines.js";
import { decodeUtf8 } from "../format/utf8.js";
import { readFile } from "./files.js";
import { readParquet } from "./read-parquet.js";

const MAX_FILE_BYTES = 1 << 29;

export type TableRow = Readonly<Record<string, unknown>>;

/**
 * The rows of data files, in order, each with the index of its file: Parquet, JSON lines, a JSON array, CSV with a head;
 * all but Parquet also packed by gzip. What a file states is checked before it is believed.
 *
 * @param describe names a file for messages, by its index
 * @throws GemmaError with the file, and where there are lines the line
 */
export async function* readTable(
  paths: readonly string[],
  describe: (file: number) => string,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly file: number; readonly row: TableRow }> {
  // One process reads them all.
  const isParquet = paths.length > 0 && paths.every((path) => path.endsWith(".parquet"));
  if (isParquet) return yield* readParquet(paths, describe, signal);
  for (const [file, path] of paths.entries()) {
    if (path.endsWith(".parquet")) {
      for await (const { row } of readParquet([path], () => describe(file), signal)) yield { file, row };
    } else for await (const row of rowsOfText(path, describe(file))) yield { file, row };
  }
}

async function* rowsOfText(path: string, where: string): AsyncGenerator<TableRow> {
  const bytes = unpacked(path, where);
  const name = path.replace(/\.gz$/, "");
  if (name.endsWith(".csv")) yield* rowsOfCsv(bytes, where);
  else if (name.endsWith(".json") && isArray(bytes)) yield* arrayRows(bytes, where);
  else yield* lineRows(bytes, where);
}

function unpacked(path: string, where: string): Uint8Array {
  const bytes = readFile(path, MAX_FILE_BYTES);
  if (!path.endsWith(".gz")) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_FILE_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new GemmaError("ERR_LIMIT_EXCEEDED", `${where}: must unpack to at most ${MAX_FILE_BYTES} bytes, got more`);
    }
    throw new GemmaError("ERR_CHECKSUM", `${where}: must be whole gzip data, got damaged data`, { cause });
  }
}

function* lineRows(bytes: Uint8Array, where: string): Generator<TableRow> {
  let line = 0;
  for (const piece of linesOf(bytes)) {
    line++;
    if (!isBlank(piece)) yield parseObject(piece, `${where}:${line}`);
  }
}

function* arrayRows(bytes: Uint8Array, where: string): Generator<TableRow> {
  const values = parseJson(decodeUtf8(bytes, where).replace(/^\ufeff/, ""), where);
  for (const [i, value] of (values as readonly unknown[]).entries()) {
    if (!(value instanceof Map)) throw new GemmaError("ERR_INVALID_JSON", `${where}[${i}]: must be a JSON object`);
    yield toPlain(value, `${where}[${i}]`) as TableRow;
  }
}

/** A `.json` file is an array, or JSON lines by another name. */
function isArray(bytes: Uint8Array): boolean {
  return /^[\ufeff\s]*\[/.test(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 1000)));
}

/** The first record names the columns. Every value is a text. */
function* rowsOfCsv(bytes: Uint8Array, where: string): Generator<TableRow> {
  for (const record of csvRows(decodeUtf8(bytes, where), where)) {
    if ("row" in record) yield record.row;
    else throw new GemmaError("ERR_INVALID_VALUE", `${where}:${record.line}: must be CSV, got: ${record.problem}`);
  }
}
