import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { fromSystemError } from "../../base/errors.js";
import type { EvalEvent, StepEvent } from "./events.js";

const LINE_FEED = 0x0a;

/** A line of metrics.jsonl. */
export type Metric = StepEvent | EvalEvent;

/** metrics.jsonl: a JSON object for each step and each measurement. */
export class MetricsFile {
  private constructor(
    private readonly path: string,
    private readonly file: number,
    private sizeBytes: number,
    /** All lines. */
    readonly metrics: Metric[],
  ) {}

  /** Lines behind `step` are cut off: their steps are computed again. So is the end of a line that nobody finished. */
  static open(path: string, step: number): MetricsFile {
    const kept: Metric[] = [];
    let sizeBytes = 0;
    const file = openSync(path, "a");
    try {
      const bytes = readFileSync(path);
      for (;;) {
        const end = bytes.indexOf(LINE_FEED, sizeBytes);
        const metric = end < 0 ? null : metricOf(bytes.toString("utf8", sizeBytes, end));
        if (metric === null || metric.step > step) break;
        kept.push(metric);
        sizeBytes = end + 1;
      }
      ftruncateSync(file, sizeBytes);
    } catch (error) {
      closeSync(file);
      throw fromSystemError(error, path);
    }
    return new MetricsFile(path, file, sizeBytes, kept);
  }

  /** @throws ERR_DISK_FULL, ERR_IO: nothing of the line is left */
  append(metric: Metric): void {
    const bytes = Buffer.from(`${JSON.stringify(metric)}\n`);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done);
      this.sizeBytes += bytes.length;
      this.metrics.push(metric);
    } catch (error) {
      ftruncateSync(this.file, this.sizeBytes);
      throw fromSystemError(error, this.path);
    }
  }

  /** Has all lines on the disk. */
  sync(): void {
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

function metricOf(line: string): Metric | null {
  try {
    const value = JSON.parse(line) as Partial<Metric> | null;
    return typeof value?.step === "number" ? (value as Metric) : null;
  } catch {
    return null; // written in part before the power went
  }
}
