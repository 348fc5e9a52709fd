import { GemmaError } from "../../base/errors.js";

const ALIGNMENT = 64;
const PAGE_BYTES = 65536;

interface Hole {
  start: number;
  size: number;
}

/**
 * Hands out ranges of a wasm memory from `start` on. A range is taken from the smallest hole that is large enough, and
 * freed ranges join their neighbours; the memory grows only when no hole is left.
 */
export class Allocator {
  /** Ascending, never adjacent. */
  private readonly holes: Hole[] = [];
  private readonly sizes = new Map<number, number>();
  private end: number;
  private used = 0;

  constructor(
    private readonly memory: WebAssembly.Memory,
    start: number,
    private readonly maxBytes: number,
  ) {
    this.end = start;
  }

  /** Bytes that are handed out. */
  get usedBytes(): number {
    return this.used;
  }

  /** The address of `bytes` bytes that hold anything. @throws ERR_OUT_OF_MEMORY */
  allocate(bytes: number): number {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    let best: Hole | undefined;
    for (const hole of this.holes) if (hole.size >= size && (best === undefined || hole.size < best.size)) best = hole;
    const start = best?.start ?? this.extend(size);
    if (best !== undefined) {
      best.start += size;
      best.size -= size;
      if (best.size === 0) this.holes.splice(this.holes.indexOf(best), 1);
    }
    this.sizes.set(start, size);
    this.used += size;
    return start;
  }

  /** Gives back what `allocate` returned. */
  free(start: number): void {
    const size = this.sizes.get(start);
    if (size === undefined) throw new GemmaError("ERR_BACKEND", `wasm: ${start} must be an allocation, got none`);
    this.sizes.delete(start);
    this.used -= size;
    let at = this.holes.findIndex((hole) => hole.start > start);
    if (at < 0) at = this.holes.length;
    this.holes.splice(at, 0, { start, size });
    this.join(at);
    this.join(at - 1);
    const last = this.holes.at(-1);
    if (last !== undefined && last.start + last.size === this.end) {
      this.end = last.start;
      this.holes.pop();
    }
  }

  private join(at: number): void {
    const hole = this.holes[at];
    const next = this.holes[at + 1];
    if (hole === undefined || next === undefined || hole.start + hole.size !== next.start) return;
    hole.size += next.size;
    this.holes.splice(at + 1, 1);
  }

  /** Takes bytes behind all others, growing the memory if need be. */
  private extend(size: number): number {
    const start = this.end;
    const end = start + size;
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.grow(Math.ceil(missing / PAGE_BYTES), size);
    this.end = end;
    return start;
  }

  private grow(pages: number, size: number): void {
    const have = this.memory.buffer.byteLength;
    try {
      if (have + pages * PAGE_BYTES > this.maxBytes) throw new RangeError("beyond the limit");
      this.memory.grow(pages);
    } catch (cause) {
      const free = this.holes.reduce((sum, hole) => sum + hole.size, 0);
      const limit = `of ${mebibytes(this.maxBytes)} at most ${mebibytes(this.used)} are in use, ${mebibytes(free)} in holes`;
      throw new GemmaError("ERR_OUT_OF_MEMORY", `wasm: ${mebibytes(size)} must fit into memory; ${limit}`, {
        cause,
        hint: "a smaller model or quantisation, a shorter context, or fewer sequences at once",
      });
    }
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
