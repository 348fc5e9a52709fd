import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import { shellWord } from "../../base/shell-word.js";
import { isUnfinished, replaceJson } from "../../disk/durable.js";
import { readIfThere } from "../../disk/line-file.js";
import type { ByteSource } from "../../format/byte-source.js";
import { type Checkpoint, Checkpoints, type TrainState } from "./checkpoint.js";
import { TUNE_METHODS, type TuneMethod } from "./config.js";
import type { TuneResult } from "./events.js";
import type { Costs } from "./meter.js";
import { MetricsFile } from "./metrics.js";
import { costsBehind, divergedError, heldOutLossBehind, type Metric, outcomeOf } from "./outcome.js";
import { parseRecord, type RunRecord, recordDifferences } from "./record.js";
import type { RunStore } from "./run-store.js";

/** Names in a run's folder. */
export const TUNE_FILES = {
  record: "config.json",
  metrics: "metrics.jsonl",
  checkpoints: "checkpoints",
  adapter: "adapter",
  model: "model",
  result: "result.json",
  lock: "tune.lock",
} as const;

/** What a run leaves on the disk. One process at a time has it: the caller holds its lock. */
export class RunFolder implements RunStore {
  private readonly checkpoints: Checkpoints;
  private metricsFile: MetricsFile | null = null;
  private newest: Checkpoint | null = null;

  private constructor(
    readonly path: string,
    openFile: (path: string) => ByteSource,
  ) {
    this.checkpoints = new Checkpoints(join(path, TUNE_FILES.checkpoints), openFile);
  }

  /**
   * Begins a run, or goes on with the one that is there.
   * @param openFile opens a file for reading by offset
   * @throws ERR_USAGE when the run there is of another model, data or configuration; it says which
   */
  static async open(path: string, record: RunRecord, openFile: (path: string) => ByteSource): Promise<RunFolder> {
    const before = readRecord(path);
    try {
      for (const name of readdirSync(path).filter(isUnfinished))
        rmSync(join(path, name), { recursive: true, force: true });
      if (before === null) await replaceJson(join(path, TUNE_FILES.record), record);
      mkdirSync(join(path, TUNE_FILES.checkpoints), { recursive: true });
    } catch (error) {
      throw fromSystemError(error, path);
    }
    const [difference] = before === null ? [] : recordDifferences(before, record);
    if (difference !== undefined) {
      throw new GemmaError("ERR_USAGE", `${path}: the run there must go on as it began, got ${difference}`, {
        hint: "put back what has changed, or begin another run in another folder",
      });
    }
    return new RunFolder(path, openFile);
  }

  /** The newest whole checkpoint's state, on the backend. @returns the step that it is behind; 0: there is none */
  async restore(state: TrainState, damaged: (why: string) => void): Promise<number> {
    this.newest = await this.checkpoints.restore(state, damaged);
    const step = this.newest?.step ?? 0;
    this.metricsFile = MetricsFile.open(join(this.path, TUNE_FILES.metrics), step);
    return step;
  }

  /** Where what was tuned is, or will be. */
  tunedPath(method: TuneMethod): string {
    return tunedPath(this.path, method);
  }

  /** The end of a run whose tuned weights are written: what its steps have told, in part before this process. */
  async finish(method: TuneMethod, steps: number): Promise<TuneResult> {
    const result: StoredResult = { method, ...outcomeOf(this.metrics, steps) };
    try {
      await replaceJson(join(this.path, TUNE_FILES.result), result);
    } catch (error) {
      throw this.explain(error);
    }
    return { path: this.tunedPath(method), ...result };
  }

  /** What the run had cost behind a step. */
  costs(step: number): Costs {
    return costsBehind(this.metrics, step);
  }

  /** Whether the held-out loss behind a step is known. */
  isMeasured(step: number): boolean {
    return heldOutLossBehind(this.metrics, step) !== undefined;
  }

  /** Adds a line to metrics.jsonl. */
  record<M extends Metric>(metric: M): M {
    this.metricsFile?.append(metric);
    return metric;
  }

  async save(state: TrainState, step: number, keep: number): Promise<Checkpoint> {
    this.metricsFile?.sync(); // no checkpoint is ahead of the metrics
    this.newest = await this.checkpoints.write(state, step, keep);
    return this.newest;
  }

  diverged(what: string, step: number, value: number): GemmaError {
    return divergedError(this.path, what, step, value, `${this.lastGood()}; `);
  }

  /** Adds to an error of the disk what is left, and how to go on. */
  explain(error: unknown): unknown {
    if (!(error instanceof GemmaError) || (error.code !== "ERR_DISK_FULL" && error.code !== "ERR_IO")) return error;
    const remedy = error.code === "ERR_DISK_FULL" ? "make room" : "mend this";
    const hint = `${this.lastGood()}; ${remedy}, then gemma tune --resume ${shellWord(this.path)}`;
    return new GemmaError(error.code, error.message, { hint, cause: error });
  }

  close(): void {
    this.metricsFile?.close();
    this.metricsFile = null;
  }

  private get metrics(): readonly Metric[] {
    return this.metricsFile?.metrics ?? [];
  }

  private lastGood(): string {
    return this.newest === null ? "there is no checkpoint yet" : `the last good checkpoint is ${this.newest.path}`;
  }
}

/** What the run in a folder was begun with; null: there is none. @throws ERR_INVALID_JSON, ERR_IO */
export function readRecord(path: string): RunRecord | null {
  const bytes = readIfThere(join(path, TUNE_FILES.record));
  return bytes && parseRecord(bytes.toString("utf8"), join(path, TUNE_FILES.record));
}

/** What result.json has: a folder may be moved, so it does not say where it is. */
type StoredResult = Omit<TuneResult, "path">;

/**
 * The result of a run that is done; null: it is not, or what was tuned is gone and is to be written again.
 * @throws ERR_INVALID_JSON, ERR_IO
 */
export function readResult(path: string): TuneResult | null {
  const file = join(path, TUNE_FILES.result);
  const bytes = readIfThere(file);
  if (bytes === null) return null;
  const result = parseResult(bytes.toString("utf8"));
  if (result === null) {
    throw new GemmaError("ERR_INVALID_JSON", `${file}: must be the result of a tuning run, got something else`, {
      hint: "remove the file; gemma tune --resume writes it again",
    });
  }
  const tuned = tunedPath(path, result.method);
  return existsSync(tuned) ? { path: tuned, ...result } : null;
}

function parseResult(text: string): StoredResult | null {
  try {
    const result = JSON.parse(text) as StoredResult | null;
    return TUNE_METHODS.some((method) => method === result?.method) ? result : null;
  } catch {
    return null;
  }
}

function tunedPath(path: string, method: TuneMethod): string {
  return join(path, method === "full" ? TUNE_FILES.model : TUNE_FILES.adapter);
}

/** Whether a folder has nothing, or is not there. The lock of a process that was killed is nothing. */
export function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).every((name) => name.startsWith(TUNE_FILES.lock) || isUnfinished(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw fromSystemError(error, path);
  }
}
