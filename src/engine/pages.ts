import { GemmaError } from "../base/errors.js";

/** Page numbers of one cache group, counted by their holders: sequences and the prefix tree. */
export class PagePool {
  private readonly holders: Uint16Array; // [pages]
  private readonly remembered: Uint8Array; // [pages], 1: the prefix tree is one of the holders
  private idleCount = 0;
  private readonly free: Int32Array; // [pages], a stack
  private freeCount: number;

  constructor(readonly pages: number) {
    this.holders = new Uint16Array(pages);
    this.remembered = new Uint8Array(pages);
    this.free = Int32Array.from({ length: pages }, (_, i) => pages - 1 - i); // lowest number first: memory stays dense
    this.freeCount = pages;
  }

  get available(): number {
    return this.freeCount;
  }

  /** Pages that the prefix tree alone holds. */
  get idle(): number {
    return this.idleCount;
  }

  /** A page with one holder, or -1 when none is free. */
  take(): number {
    if (this.freeCount === 0) return -1;
    const page = this.free[--this.freeCount]!;
    this.holders[page] = 1;
    return page;
  }

  hold(page: number): void {
    if (this.isIdle(page)) this.idleCount--;
    this.holders[page]!++;
  }

  release(page: number): void {
    const left = this.holders[page];
    if (!left) throw new GemmaError("ERR_BACKEND", `cache: page ${page} was released more often than held`);
    if (this.isIdle(page)) this.idleCount--;
    this.holders[page] = left - 1;
    if (this.isIdle(page)) this.idleCount++;
    if (left === 1) this.free[this.freeCount++] = page;
  }

  /** Holds a page for the prefix tree. */
  remember(page: number): void {
    this.hold(page);
    this.remembered[page] = 1;
  }

  /** Releases the prefix tree's hold. */
  forget(page: number): void {
    if (this.isIdle(page)) this.idleCount--;
    this.remembered[page] = 0;
    this.release(page);
  }

  private isIdle(page: number): boolean {
    return this.remembered[page] === 1 && this.holders[page] === 1;
  }
}
