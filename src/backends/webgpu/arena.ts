import { GemmaError } from "../../base/errors.js";

const FIRST_BYTES = 16 << 20;
const ALIGN = 64; // words: rows of tensors begin at cache lines

/** A range of words. */
export interface Block {
  readonly start: number;
  readonly words: number;
}

/**
 * Which words of one growing buffer belong to whom. First fit; neighbours that are free are joined. It knows no GPU.
 */
export class Arena {
  private free: Block[] = [];
  /** Words from here on were never given out. */
  private top = 0;
  /** Words that the buffer has to have. */
  capacity = FIRST_BYTES / 4;

  constructor(private readonly mostBytes: number) {}

  /** A block, and whether it may hold old values. @throws ERR_OUT_OF_MEMORY */
  take(wanted: number): { block: Block; isUsed: boolean } {
    const words = Math.max(ALIGN, Math.ceil(wanted / ALIGN) * ALIGN);
    const at = this.free.findIndex((block) => block.words >= words);
    if (at >= 0) {
      const found = this.free[at]!;
      const rest = { start: found.start + words, words: found.words - words };
      this.free.splice(at, 1, ...(rest.words > 0 ? [rest] : []));
      return { block: { start: found.start, words }, isUsed: true };
    }
    const end = this.top + words;
    if (end * 4 > this.mostBytes) {
      const [own, inUse, most] = [words * 4, this.top * 4, this.mostBytes].map(megabytes);
      throw new GemmaError(
        "ERR_OUT_OF_MEMORY",
        `webgpu: activations must fit into a buffer of ${most}, got ${own} beside ${inUse} in use`,
        { hint: "this is the device's limit: shorten the context or take fewer rows a step" },
      );
    }
    if (end > this.capacity) {
      this.capacity = Math.min(Math.floor(this.mostBytes / 4), Math.max(end, Math.ceil(this.capacity * 1.5)));
    }
    const block = { start: this.top, words };
    this.top = end;
    return { block, isUsed: false };
  }

  give(block: Block): void {
    const at = this.free.findIndex(({ start }) => start > block.start);
    this.free.splice(at < 0 ? this.free.length : at, 0, block);
    const joined: Block[] = [];
    for (const next of this.free) {
      const last = joined.at(-1);
      if (last !== undefined && last.start + last.words === next.start) {
        joined[joined.length - 1] = { start: last.start, words: last.words + next.words };
      } else joined.push(next);
    }
    this.free = joined;
  }
}

export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}
