import type { OutputStreams } from "./output.js";

export interface Progress {
  /** Work done so far; `total` undefined while it is unknown. The unit is bytes. */
  update(label: string, done: number, total: number | undefined): void;
  /** Ends the line. Call it also after a failure, before the message. */
  end(): void;
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const SPARSE_MS = 10_000;

/**
 * A progress bar with rate and remaining time on standard error. In a terminal it redraws one line; elsewhere (a log)
 * it writes a line when the label changes and every ten seconds.
 */
export function createProgress(
  stream: OutputStreams["stderr"] & { readonly columns?: number } = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const isTerminal = stream.isTTY === true;
  let label = "";
  let startMs = 0;
  let startBytes = 0;
  let shownMs = Number.NEGATIVE_INFINITY;
  let isDrawn = false;

  return {
    update(nextLabel, done, total) {
      const timeMs = now();
      if (nextLabel !== label) {
        label = nextLabel;
        // A resumed download starts above zero: only what is fetched now counts for the rate.
        startMs = timeMs;
        startBytes = done;
        shownMs = Number.NEGATIVE_INFINITY;
      }
      const isLast = total !== undefined && done >= total;
      if (!isLast && timeMs - shownMs < (isTerminal ? REDRAW_MS : SPARSE_MS)) return;
      shownMs = timeMs;
      const bytesPerSecond = timeMs > startMs ? ((done - startBytes) * 1000) / (timeMs - startMs) : 0;
      const text = progressLine(label, done, total, bytesPerSecond, isTerminal);
      if (isTerminal) stream.write(`\r${text.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
      else stream.write(`${text}\n`);
      isDrawn = true;
    },
    end() {
      if (isTerminal && isDrawn) stream.write("\n");
      isDrawn = false;
      label = "";
    },
  };
}

function progressLine(
  label: string,
  done: number,
  total: number | undefined,
  bytesPerSecond: number,
  withBar: boolean,
): string {
  const rate = bytesPerSecond > 0 ? ` ${formatBytes(bytesPerSecond)}/s` : "";
  if (total === undefined || total <= 0) return `${label} ${formatBytes(done)}${rate}`;
  const part = Math.min(1, done / total);
  const filled = Math.round(part * BAR_WIDTH);
  const bar = withBar ? `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ` : "";
  const left = bytesPerSecond > 0 && done < total ? ` ${formatSeconds((total - done) / bytesPerSecond)} left` : "";
  return `${label} ${bar}${Math.floor(part * 100)}% of ${formatBytes(total)}${rate}${left}`;
}

/** 1_234_567 -> "1.2 MB". Decimal units, as download rates and disks are sold in. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 75 -> "1 min 15 s" */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
