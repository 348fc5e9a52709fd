import { GemmaError } from "../base/errors.js";

/** Page numbers of one cache group, counted by their holders: sequences and nodes of the prefix tree. */
export class PagePool {
  private readonly holders: Uint16Array; // [pages]
  private readonly free: Int32Array; // [pages], a stack
  private freeCount: number;

  constructor(readonly pages: number) {
    this.holders = new Uint16Array(pages);
    this.free = Int32Array.from({ length: pages }, (_, i) => pages - 1 - i); // lowest number first: memory stays dense
    this.freeCount = pages;
  }

  get available(): number {
    return this.freeCount;
  }

  /** A page with one holder, or -1 when none is free. */
  take(): number {
    if (this.freeCount === 0) return -1;
    const page = this.free[--this.freeCount]!;
    this.holders[page] = 1;
    return page;
  }

  holdersOf(page: number): number {
    return this.holders[page]!;
  }

  hold(page: number): void {
    this.holders[page]!++;
  }

  release(page: number): void {
    const left = this.holders[page];
    if (!left) throw new GemmaError("ERR_BACKEND", `cache: page ${page} was released more often than held`);
    this.holders[page] = left - 1;
    if (left === 1) this.free[this.freeCount++] = page;
  }
}
