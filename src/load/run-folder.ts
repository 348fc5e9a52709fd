import { join } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { replaceJson } from "../disk/durable.js";
import { LineFile, readIfThere, readWholeLines } from "../disk/line-file.js";
import { headerDifferences, withMachines } from "../eval/header.js";
import { readHeader, readRecord } from "../eval/read-run.js";
import { type ItemRecord, RUN_FILES, type RunHeader, type RunResults } from "../eval/results.js";
import { recordKey } from "../eval/run.js";
import { withLock } from "./lock.js";
import { makeFolder } from "./make-folder.js";

export interface OpenRun {
  /** What an earlier part of the run has measured, by `recordKey`. */
  readonly recorded: ReadonlyMap<string, ItemRecord>;
  /** Adds a line to items.jsonl; it is the file's when this returns. */
  append(record: ItemRecord): void;
  finish(results: RunResults): Promise<void>;
}

/**
 * Begins a run in folder `path`, or goes on with the one that is there, as the only process that does.
 *
 * @throws ERR_USAGE when the run there was begun with other settings; it says which
 */
export async function withRunFolder<T>(
  path: string,
  header: RunHeader,
  options: { readonly signal?: AbortSignal; readonly onWait?: () => void },
  work: (run: OpenRun, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    await makeFolder(path);
    return await withLock(join(path, "run.lock"), options, async (signal) => {
      const items = join(path, RUN_FILES.items);
      const { recorded, sizeBytes } = readRecords(items);
      await openHeader(path, header, recorded.size);
      const file = new LineFile(items, sizeBytes);
      try {
        const append = (record: ItemRecord) => file.append(record);
        const finish = (results: RunResults) => replaceJson(join(path, RUN_FILES.results), results);
        return await work({ recorded, append, finish }, signal);
      } finally {
        file.close();
      }
    });
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

async function openHeader(path: string, header: RunHeader, records: number): Promise<void> {
  const file = join(path, RUN_FILES.header);
  const text = readIfThere(file);
  if (text === null && records > 0) {
    throw new GemmaError("ERR_MISSING_FILE", `${file}: must say what the ${records} records beside it were made with`, {
      hint: "put it back, or choose another folder with --out",
    });
  }
  if (text === null) return replaceJson(file, header);
  const before = readHeader(text.toString("utf8"), file);
  const differences = headerDifferences(before, header);
  if (differences.length === 0) {
    const merged = withMachines(before, header.machines);
    if (merged.machines.length > before.machines.length) await replaceJson(file, merged);
    return;
  }
  const more = differences.length > 5 ? ` and ${differences.length - 5} more` : "";
  throw new GemmaError(
    "ERR_USAGE",
    `${path}: the run there must be of the same settings, got ${differences.slice(0, 5).join("; ")}${more}`,
    { hint: "resume with the settings of run.json, or choose another folder with --out" },
  );
}

function readRecords(file: string): { recorded: Map<string, ItemRecord>; sizeBytes: number } {
  const recorded = new Map<string, ItemRecord>();
  const sizeBytes = readWholeLines(file, (text, line) => {
    const record = recordOf(text, `${file}:${line}`);
    recorded.set(recordKey(record), record);
    return true;
  });
  return { recorded, sizeBytes };
}

function recordOf(text: string, where: string): ItemRecord {
  try {
    return readRecord(text, where);
  } catch (error) {
    if (!(error instanceof GemmaError)) throw error;
    const hint = "the file was changed or damaged; choose another folder with --out";
    throw new GemmaError(error.code, error.message, { hint, cause: error });
  }
}
