/** What a pull is doing, for a progress bar or a log that is drawn elsewhere. */
export interface PullProgress {
  readonly phase: "download" | "verify" | "unpack" | "wait";
  /** The file or wheel, or what is waited for. */
  readonly file: string;
  readonly doneBytes: number;
  /** Absent where nobody told: pip, or a server without Content-Length. */
  readonly totalBytes?: number;
  readonly bytesPerSecond?: number;
  readonly remainingSeconds?: number;
}

export type OnProgress = (event: PullProgress) => void;

/** Counts the bytes of one phase and reports at most ten times a second, and at the end. */
export interface Meter {
  set(doneBytes: number): void;
  finish(doneBytes: number): void;
}

const REPORT_EVERY_MS = 100;
const RATE_WINDOW_MS = 5_000;

/**
 * @param startBytes what an earlier, cut pull left behind: part of `doneBytes`, not of the rate
 */
export function startMeter(
  onProgress: OnProgress | undefined,
  phase: PullProgress["phase"],
  file: string,
  totalBytes: number | undefined,
  startBytes = 0,
): Meter {
  // The rate is taken over a sliding window: an average since the start would hide a line that has become slow.
  let samples: { readonly at: number; readonly bytes: number }[] = [{ at: performance.now(), bytes: startBytes }];
  let reportedAt = Number.NEGATIVE_INFINITY;

  function report(doneBytes: number, now: number): void {
    reportedAt = now;
    const recent = samples.filter((sample) => now - sample.at <= RATE_WINDOW_MS);
    if (recent.length > 0) samples = recent;
    const from = samples[0]!;
    samples.push({ at: now, bytes: doneBytes });
    const seconds = (now - from.at) / 1000;
    const rate = seconds > 0.2 ? (doneBytes - from.bytes) / seconds : 0;
    onProgress?.({
      phase,
      file,
      doneBytes,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(rate > 0 ? { bytesPerSecond: rate } : {}),
      ...(rate > 0 && totalBytes !== undefined ? { remainingSeconds: Math.max(0, totalBytes - doneBytes) / rate } : {}),
    });
  }

  return {
    set(doneBytes) {
      const now = performance.now();
      if (now - reportedAt >= REPORT_EVERY_MS) report(doneBytes, now);
    },
    finish(doneBytes) {
      report(doneBytes, performance.now());
    },
  };
}
