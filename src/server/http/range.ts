/** Bytes [start, end] of a file, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What a Range header asks of a file (RFC 9110, 14): one range; "whole" for several, or a form that is none; "beyond" for one
 * that lies behind the file's end.
 */
export function parseRange(header: string | null, sizeBytes: number): ByteRange | "whole" | "beyond" {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return "whole";
  if (from === "") {
    const start = Math.max(0, sizeBytes - Number(to)); // the last bytes
    return start < sizeBytes ? { start, end: sizeBytes - 1 } : "beyond";
  }
  const range = { start: Number(from), end: Math.min(to === "" ? sizeBytes - 1 : Number(to), sizeBytes - 1) };
  if (range.start >= sizeBytes) return "beyond";
  return range.start > range.end ? "whole" : range;
}
