import { LineFile, readWholeLines } from "../../disk/line-file.js";
import type { Metric } from "./outcome.js";

/** metrics.jsonl: a JSON object for each step and each measurement. */
export class MetricsFile {
  private constructor(
    private readonly file: LineFile,
    /** All lines. */
    readonly metrics: Metric[],
  ) {}

  /**
   * Lines behind `step` are cut off: their steps are computed again. So is what stands behind a line that nobody finished.
   * @throws ERR_IO
   */
  static open(path: string, step: number): MetricsFile {
    const metrics: Metric[] = [];
    const sizeBytes = readWholeLines(path, (line) => {
      const metric = metricOf(line);
      if (metric === null || metric.step > step) return false;
      metrics.push(metric);
      return true;
    });
    return new MetricsFile(new LineFile(path, sizeBytes), metrics);
  }

  /** @throws ERR_DISK_FULL, ERR_IO: nothing of the line is left */
  append(metric: Metric): void {
    this.file.append(metric);
    this.metrics.push(metric);
  }

  /** Has all lines on the disk. @throws ERR_DISK_FULL, ERR_IO */
  sync(): void {
    this.file.sync();
  }

  close(): void {
    this.file.close();
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
