import { expect, test } from "vitest";
import { PAGE_ROWS } from "../backend/kv.js";
import { GenerateJob } from "./generate-job.js";
import type { Job } from "./job.js";
import { JobPages } from "./job-pages.js";
import { resolveOptions, resolveRequest } from "./options.js";

const WINDOW = PAGE_ROWS + 1;

/** Pages of two groups, the second with a window. */
function setup(groupPages: readonly [number, number]) {
  return new JobPages({ groupPages, sequencePages: [100, 4], idlePages: [100, 100], windows: [null, WINDOW] });
}

/** A job whose prompt has `blocks` pages of tokens of its own. */
function job(blocks: number, first = 0): Job {
  const setup = {
    prompt: Array.from({ length: blocks * PAGE_ROWS }, (_, i) => first + i),
    options: resolveOptions({}, 10_000),
    terms: { ...resolveRequest({}), adapter: null },
    eosIds: new Set<number>(),
    contextLength: 10_000,
    decoder: null,
    mask: null,
  };
  return new GenerateJob(setup, { piece() {}, done() {}, fail() {} });
}

/** Computes tokens of a job as steps do. */
function compute(pages: JobPages, each: Job, blocks: number): void {
  for (let block = 0; block < blocks; block++) {
    const start = each.computed;
    expect(pages.reserve(each, start + PAGE_ROWS)).toBe(true);
    each.computed += PAGE_ROWS;
    pages.remember(each, start);
  }
}

test("a job is admitted when its tokens fit beside what the others still need, and a page for each", () => {
  const pages = setup([20, 20]);
  const [first, second, third] = [job(10), job(7, 2000), job(8, 4000)];
  expect(pages.admit(first, [])).toBe(true);
  expect(pages.admit(third, [first])).toBe(true); // 10 + 1 and 8 + 1
  pages.release(third);
  expect(pages.admit(second, [first])).toBe(true);
  expect(pages.admit(job(1, 6000), [first, second])).toBe(false); // nothing is computed, but all is promised
  expect(third.pages).toEqual([]);
});

test("the only job is admitted whatever it needs", () => {
  expect(setup([2, 2]).admit(job(10), [])).toBe(true);
});

test("what is remembered counts once, as the waiting job's own", () => {
  const pages = setup([12, 12]);
  const first = job(8);
  pages.admit(first, []);
  compute(pages, first, 8);
  pages.release(first);
  expect(pages.known(first)).toBe(7 * PAGE_ROWS); // its last row is looked at
  const [same, other] = [job(8), job(5, 2000)];
  const runs = job(1, 4000);
  expect(pages.admit(runs, [])).toBe(true);
  expect(pages.admit(same, [runs])).toBe(true);
  expect(same.computed).toBe(7 * PAGE_ROWS);
  expect(pages.admit(other, [runs, same])).toBe(false);
  pages.release(same);
  expect(pages.admit(other, [runs])).toBe(true); // for it, all of that can be forgotten
});

test("a window's pages come back, so that a long prompt needs few of that group", () => {
  const pages = setup([40, 9]);
  const [first, second] = [job(10), job(10, 2000)];
  expect(pages.admit(first, [])).toBe(true);
  expect(pages.admit(second, [first])).toBe(false); // 4 + 1 each
  compute(pages, first, 10);
  pages.trim();
  expect(first.pages[1]!.filter((page) => page >= 0).length).toBeLessThan(5);
  const roomy = setup([40, 10]);
  expect(roomy.admit(first, [])).toBe(true);
  expect(roomy.admit(second, [first])).toBe(true);
});

test("pages that cannot be had are said so, and what was had is given back", () => {
  const pages = setup([4, 4]);
  const [first, second] = [job(3), job(3, 2000)];
  pages.admit(first, []);
  expect(pages.reserve(first, 3 * PAGE_ROWS)).toBe(true);
  pages.admit(second, []);
  expect(pages.reserve(second, 3 * PAGE_ROWS)).toBe(false);
  pages.release(first);
  expect(pages.reserve(second, 3 * PAGE_ROWS)).toBe(true);
  pages.release(second);
  expect(pages.stats().map(({ free }) => free)).toEqual([4, 4]);
});
