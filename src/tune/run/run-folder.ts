import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import type { ByteSource } from "../../format/byte-source.js";
import { type Checkpoint, Checkpoints, type TrainState } from "./checkpoint.js";
import { isUnfinished, replaceFile } from "./durable.js";
import type { EvalEvent, StepEvent, TuneResult } from "./events.js";
import { type Costs, NO_COSTS } from "./meter.js";
import { type Metric, MetricsFile } from "./metrics.js";
import { parseRecord, type RunRecord, recordDifferences } from "./record.js";

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
export class RunFolder {
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
      if (before === null) await replaceFile(join(path, TUNE_FILES.record), `${JSON.stringify(record, null, 2)}\n`);
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

  /** What the run's steps have told, in part before this process. */
  summary(steps: number): Omit<TuneResult, "path" | "method"> {
    const last = this.stepMetric(steps);
    const [before, after] = [this.heldOutLoss(0), this.heldOutLoss(steps)];
    return {
      steps,
      loss: last?.loss ?? Number.NaN,
      heldOut: before === undefined || after === undefined ? null : { before, after },
      costs: this.costs(steps),
    };
  }

  /** What the run had cost behind a step. */
  costs(step: number): Costs {
    const { tokens, targets, examples, seconds, peakBytes } = this.stepMetric(step) ?? NO_COSTS;
    return { tokens, targets, examples, seconds, peakBytes };
  }

  /** Whether the held-out loss behind a step is known. */
  isMeasured(step: number): boolean {
    return this.heldOutLoss(step) !== undefined;
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

  async finish(result: TuneResult): Promise<void> {
    const path = join(this.path, TUNE_FILES.result);
    try {
      await replaceFile(path, `${JSON.stringify(result, null, 2)}\n`);
    } catch (error) {
      throw this.explain(fromSystemError(error, path));
    }
  }

  diverged(what: string, step: number, value: number): GemmaError {
    return new GemmaError("ERR_DIVERGED", `${this.path}: the ${what} of step ${step} must be a number, got ${value}`, {
      hint: `${this.lastGood()}; try a smaller learning rate, a longer warm-up, or a smaller clipNorm`,
    });
  }

  /** Adds to an error of the disk what is left, and how to go on. */
  explain(error: unknown): unknown {
    if (!(error instanceof GemmaError) || (error.code !== "ERR_DISK_FULL" && error.code !== "ERR_IO")) return error;
    const hint = `${this.lastGood()}; make room, then gemma tune --resume ${this.path}`;
    return new GemmaError(error.code, error.message, { hint, cause: error });
  }

  close(): void {
    this.metricsFile?.close();
    this.metricsFile = null;
  }

  private stepMetric(step: number): StepEvent | undefined {
    const isIt = (metric: Metric) => metric.type === "step" && metric.step === step;
    return this.metricsFile?.metrics.find((metric): metric is StepEvent => isIt(metric));
  }

  private heldOutLoss(step: number): number | undefined {
    const isIt = (metric: Metric) => metric.type === "eval" && metric.step === step;
    return this.metricsFile?.metrics.find((metric): metric is EvalEvent => isIt(metric))?.heldOutLoss;
  }

  private lastGood(): string {
    return this.newest === null ? "there is no checkpoint yet" : `the last good checkpoint is ${this.newest.path}`;
  }
}

/** What the run in a folder was begun with; null: there is none. @throws ERR_INVALID_JSON, ERR_IO */
export function readRecord(path: string): RunRecord | null {
  const text = readIfThere(join(path, TUNE_FILES.record));
  return text === null ? null : parseRecord(text, join(path, TUNE_FILES.record));
}

/** The result of a run that is done; null: it is not. */
export function readResult(path: string): TuneResult | null {
  const text = readIfThere(join(path, TUNE_FILES.result));
  return text === null ? null : (JSON.parse(text) as TuneResult);
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

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw fromSystemError(error, path);
  }
}
