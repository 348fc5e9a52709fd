import { GemmaError } from "../base/errors.js";
import { checkRelativePath } from "./safe-path.js";

/** A file in an archive. Its name has been checked: relative, no `..`, no link. */
export interface ArchiveEntry {
  readonly name: string;
  /** Unpacked. */
  readonly sizeBytes: number;
}

export interface ArchiveLimits {
  readonly maxEntries: number;
  /** Unpacked bytes of all entries. */
  readonly maxTotalBytes: number;
  /** Unpacked bytes for a packed one; holds where more than 1 MiB is unpacked. */
  readonly maxRatio: number;
}

/** Weights pack to 50-100 %, text to 10 %; 1 % is a bomb. */
export const ARCHIVE_LIMITS: ArchiveLimits = { maxEntries: 10_000, maxTotalBytes: 64 * 2 ** 30, maxRatio: 100 };

const RATIO_FREE_BYTES = 2 ** 20;

/** Throws ERR_LIMIT_EXCEEDED when unpacking grows beyond the limits. */
export function checkUnpackedSize(where: string, unpacked: number, packed: number, limits: ArchiveLimits): void {
  if (unpacked > limits.maxTotalBytes) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${where}: must unpack to at most ${limits.maxTotalBytes} bytes, got ${unpacked}`,
    );
  }
  if (unpacked > RATIO_FREE_BYTES && unpacked > packed * limits.maxRatio) {
    throw new GemmaError(
      "ERR_LIMIT_EXCEEDED",
      `${where}: must unpack to at most ${limits.maxRatio} times its size, got ${unpacked} bytes from ${packed}`,
    );
  }
}

/** Collects entry names: each must be safe and new, and there must not be too many. */
export class EntryNames {
  private readonly names = new Set<string>();

  constructor(
    private readonly where: string,
    private readonly limits: ArchiveLimits,
  ) {}

  /** @throws ERR_PATH_ESCAPE, ERR_DUPLICATE_NAME, ERR_LIMIT_EXCEEDED */
  add(name: string): void {
    checkRelativePath(name, `${this.where}: an entry`);
    if (this.names.has(name)) {
      throw new GemmaError("ERR_DUPLICATE_NAME", `${this.where}: entry ${name} must occur once, got it twice`);
    }
    this.names.add(name);
    if (this.names.size > this.limits.maxEntries) {
      throw new GemmaError(
        "ERR_LIMIT_EXCEEDED",
        `${this.where}: must have at most ${this.limits.maxEntries} entries, got more`,
      );
    }
  }
}
