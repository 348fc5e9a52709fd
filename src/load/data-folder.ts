import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { GemmaError } from "../base/errors.js";
import type { BadLine, DataFile, DataSource } from "../eval/data.js";
import type { Row } from "../eval/row.js";
import { isBlank, linesOf, parseObject } from "../format/json-lines.js";
import { firstExisting, readFile } from "./files.js";

const MAX_FILE_BYTES = 1 << 30;
const MAX_ID_LENGTH = 1000;

export interface DataFolderOptions {
  /** Broken lines are left out and counted; otherwise the first one throws. Default: false. */
  readonly skipBad?: boolean;
}

/** Benchmark files of a folder: JSON lines, in the folder itself, in its subfolder `benchmarks`, or beside that. */
export class DataFolder implements DataSource {
  constructor(
    private readonly path: string,
    private readonly options: DataFolderOptions = {},
  ) {}

  async open(file: string): Promise<DataFile> {
    const folder = resolve(this.path);
    // Examples of some tasks are tuning data, in a folder beside the benchmarks' own.
    const beside = basename(folder) === "benchmarks" ? [join(folder, "..", file)] : [];
    const path = firstExisting([join(this.path, file), join(this.path, "benchmarks", file), ...beside]);
    if (path !== undefined) return readDataFile(path, this.options);
    if (!existsSync(folder)) {
      throw new GemmaError("ERR_MISSING_FILE", `${this.path}: no such folder`, {
        hint: "--data is where the items lie",
      });
    }
    const where = `${join(this.path, file)}: no such file, and none in ${join(this.path, "benchmarks")}`;
    throw new GemmaError("ERR_MISSING_FILE", where, {
      hint: `--data is the folder with the benchmarks' JSON lines, a file each; this task needs ${file}`,
    });
  }
}

/**
 * Reads a file of JSON lines: UTF-8, an object a line, each with an `id` that no other has. Empty lines are none.
 * @throws GemmaError that begins `file:line: `
 */
export function readDataFile(path: string, { skipBad = false }: DataFolderOptions = {}): DataFile {
  const bytes = readFile(path, MAX_FILE_BYTES);
  const rows: { line: number; row: Row }[] = [];
  const bad: BadLine[] = [];
  const lineOf = new Map<string, number>();
  let line = 0;
  for (const piece of linesOf(bytes)) {
    line++;
    if (isBlank(piece)) continue;
    try {
      const row = readRow(piece, `${path}:${line}`);
      const first = lineOf.get(row.id);
      if (first !== undefined) {
        const id = JSON.stringify(row.id);
        throw new GemmaError(
          "ERR_DUPLICATE_NAME",
          `${path}:${line}: id must be unique, got ${id} of line ${first} again`,
        );
      }
      lineOf.set(row.id, line);
      rows.push({ line, row });
    } catch (error) {
      if (!(error instanceof GemmaError) || !skipBad) throw withHint(error);
      bad.push({ file: path, line, reason: error.message });
    }
  }
  return { name: path, sha256: createHash("sha256").update(bytes).digest("hex"), rows, bad };
}

function readRow(bytes: Uint8Array, where: string): Row {
  const row = parseObject(bytes, where) as Row;
  if (typeof row.id !== "string" || row.id === "" || row.id.length > MAX_ID_LENGTH) {
    const got = row.id === undefined ? "nothing" : JSON.stringify(row.id).slice(0, 80);
    const code = row.id === undefined ? "ERR_MISSING_KEY" : "ERR_INVALID_VALUE";
    throw new GemmaError(code, `${where}: id must be a string of 1 to ${MAX_ID_LENGTH} characters, got ${got}`);
  }
  return row;
}

function withHint(error: unknown): unknown {
  if (!(error instanceof GemmaError)) return error;
  return new GemmaError(error.code, error.message, {
    hint: "--skip-bad leaves out such lines and counts them",
    cause: error,
  });
}
