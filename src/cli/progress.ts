import { type OutputStreams, printable } from "./output.js";
import { widthOf } from "./status-line.js";

/** How far one phase is; the shape of the pull's events, for anything counted in bytes. */
export interface ProgressEvent {
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly bytesPerSecond?: number;
  readonly remainingSeconds?: number;
}

export interface Progress {
  /** `label` names the phase and the file. */
  update(label: string, event: ProgressEvent): void;
  /** Ends the line. Call it also after a failure, before the message. */
  end(): void;
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const SPARSE_MS = 10_000;

/**
 * A progress bar with rate and remaining time on standard error. In a terminal it redraws one line; elsewhere (a log)
 * it writes a line when the label changes, every ten seconds, and at the end.
 */
export function createProgress(
  stream: OutputStreams["stderr"] & { readonly columns?: number } = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const isTerminal = stream.isTTY === true;
  let label = "";
  let shownMs = Number.NEGATIVE_INFINITY;
  let isDrawn = false;
  let isComplete = false;

  return {
    update(nextLabel, event) {
      const isNew = nextLabel !== label;
      const isLast = event.doneBytes >= (event.totalBytes ?? Number.POSITIVE_INFINITY);
      const timeMs = now();
      const isDue = timeMs - shownMs >= (isTerminal ? REDRAW_MS : SPARSE_MS);
      if (!isNew && !isDue && (!isLast || isComplete)) return;
      label = nextLabel;
      shownMs = timeMs;
      isComplete = isLast;
      const text = describe(event, isTerminal);
      if (isTerminal) {
        const width = widthOf(stream) - 1;
        stream.write(`\r${`${shorten(printable(label), width - text.length - 1)} ${text}`.slice(0, width)}\u001b[K`);
      } else {
        stream.write(`${printable(`${label} ${text}`).trimEnd()}\n`);
      }
      isDrawn = true;
    },
    end() {
      if (isTerminal && isDrawn) stream.write("\n");
      isDrawn = false;
      label = "";
    },
  };
}

/** Keeps both ends: the phase stands first, and what tells one file from the next often last. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const kept = Math.max(8, width - 1);
  return `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`;
}

function describe(
  { doneBytes, totalBytes, bytesPerSecond, remainingSeconds }: ProgressEvent,
  withBar: boolean,
): string {
  const rate = bytesPerSecond === undefined ? "" : ` ${formatBytes(bytesPerSecond)}/s`;
  if (totalBytes === undefined || totalBytes <= 0)
    return `${doneBytes > 0 ? formatBytes(doneBytes) : ""}${rate}`.trim();
  const part = Math.min(1, doneBytes / totalBytes);
  const filled = Math.round(part * BAR_WIDTH);
  const bar = withBar ? `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ` : "";
  const left = remainingSeconds === undefined || part === 1 ? "" : ` ${formatSeconds(remainingSeconds)} left`;
  return `${bar}${Math.floor(part * 100)}% of ${formatBytes(totalBytes)}${rate}${left}`;
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
