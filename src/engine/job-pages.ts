import { PAGE_ROWS } from "../backend/kv.js";
import type { CacheShape } from "./cache-shape.js";
import type { Job } from "./job.js";
import { PagePool } from "./pages.js";
import { firstVisibleBlock, PrefixTree } from "./prefix-tree.js";
import type { PageStats } from "./stats.js";

const EVICTED_PAGES = 64; // at once: looking for the oldest prefixes costs more than letting go of a few

/** What the cache has to know of a job. */
export type Sequence = Pick<Job, "tokens" | "computed" | "pages" | "prefixKey" | "firstOutput">;

/** The pages of the cache: which job has which, and what is remembered of jobs that ended. */
export class JobPages {
  private readonly pools: PagePool[];
  private readonly prefixes: PrefixTree;

  constructor(private readonly shape: CacheShape) {
    this.pools = shape.groupPages.map((pages) => new PagePool(pages));
    this.prefixes = new PrefixTree(this.pools, shape.windows);
  }

  stats(): readonly PageStats[] {
    return this.pools.map(({ pages, available, idle }) => ({ total: pages, free: available, remembered: idle }));
  }

  /**
   * Gives a waiting job the pages of its longest remembered prefix, if what its other tokens need fits beside what
   * `running` need. Else it would be set back soon, or set others back. The only job is always admitted.
   */
  admit(job: Sequence, running: readonly Sequence[]): boolean {
    const known = this.prefixes.lookup(job.prefixKey, job.tokens, job.firstOutput); // rows looked at are computed
    job.computed = known.length;
    job.pages = known.pages;
    if (running.length === 0 || this.fits([...running, job])) return true;
    this.release(job);
    job.computed = 0;
    return false;
  }

  /** Tokens at the beginning of a waiting job that need not be computed. */
  known(job: Sequence): number {
    return this.prefixes.match(job.prefixKey, job.tokens, job.firstOutput);
  }

  /**
   * Gives a job pages for positions up to `end`, and takes back those behind its windows. Prefixes that nobody uses
   * are forgotten for them; false: even that does not suffice, and the job has what there was.
   */
  reserve(job: Sequence, end: number): boolean {
    for (const [group, pool] of this.pools.entries()) {
      const table = job.pages[group]!;
      const visible = firstVisibleBlock(job.computed, this.shape.windows[group]!);
      for (let block = 0; block < Math.min(visible, table.length); block++) {
        if (table[block]! >= 0) pool.release(table[block]!);
        table[block] = -1;
      }
      while (table.length * PAGE_ROWS < end) {
        if (pool.available === 0) this.prefixes.evict(group, EVICTED_PAGES);
        const page = pool.take();
        if (page < 0) return false;
        table.push(page);
      }
    }
    return true;
  }

  /** Remembers the full pages of a job if a step from `start` on filled one; what it computes next is its own. */
  remember(job: Sequence, start: number): void {
    const blocks = Math.floor(job.computed / PAGE_ROWS);
    if (blocks > Math.floor(start / PAGE_ROWS)) this.prefixes.insert(job.prefixKey, job.tokens, blocks, job.pages);
  }

  /** Takes all of a job's pages; what is remembered of it stays. */
  release(job: Sequence): void {
    for (const [group, table] of job.pages.entries()) {
      for (const page of table) if (page >= 0) this.pools[group]!.release(page);
    }
    job.pages = [];
  }

  /** Forgets the longest unused of what is remembered beyond its share. */
  trim(): void {
    this.prefixes.keep(this.shape.idlePages);
  }

  /** Forgets what was computed under keys that begin with `start`. */
  forget(start: string): void {
    this.prefixes.forget(start);
  }

  /** Whether all tokens that the jobs have fit, and a page more for each of them. */
  private fits(jobs: readonly Sequence[]): boolean {
    return this.pools.every((pool, group) => {
      const needed = jobs.reduce((sum, job) => sum + this.missing(job, group) + 1, 0);
      return needed <= pool.available + pool.idle;
    });
  }

  /** Pages of `group` that a job still needs for the tokens it has. */
  private missing(job: Sequence, group: number): number {
    const table = job.pages[group]!;
    const held = table.reduce((count, page) => count + Number(page >= 0), 0);
    const more = Math.ceil(job.tokens.length / PAGE_ROWS) - table.length;
    return Math.max(0, Math.min(more, this.shape.sequencePages[group]! - held));
  }
}
