import { expect, test } from "vitest";
import { PAGE_ROWS } from "../backend/kv.js";
import { PagePool } from "./pages.js";
import { firstVisibleBlock, PrefixTree } from "./prefix-tree.js";

const tokens = Array.from({ length: 8 * PAGE_ROWS }, (_, i) => i);

function setup(pages: number, windows: (number | null)[]) {
  const pools = windows.map(() => new PagePool(pages));
  const tree = new PrefixTree(pools, windows);
  /** Computes `blocks` blocks of `ids` as a sequence would, and lets go of them. */
  const remember = (root: string, ids: readonly number[], blocks: number) => {
    const table = pools.map((pool) => Array.from({ length: blocks }, () => pool.take()));
    tree.insert(root, ids, blocks, table);
    for (const [group, list] of table.entries()) for (const page of list) pools[group]!.release(page);
    return table;
  };
  return { pools, tree, remember };
}

test("a remembered prefix is found up to the limit, in whole pages", () => {
  const { tree, remember, pools } = setup(10, [null]);
  const [pages] = remember("", tokens, 3);
  expect(tree.lookup("", tokens, 1000)).toEqual({ length: 3 * PAGE_ROWS, pages: [pages] });
  expect(tree.lookup("", tokens, 3 * PAGE_ROWS - 1).length).toBe(2 * PAGE_ROWS);
  expect(tree.lookup("other adapter", tokens, 1000).length).toBe(0);
  expect(tree.lookup("", [999, ...tokens], 1000).length).toBe(0);
  expect(pools[0]!.available).toBe(7);
});

test("a windowed group needs only the pages of the last window", () => {
  const window = PAGE_ROWS + 1;
  const { tree, remember } = setup(10, [null, window]);
  const [, sliding] = remember("", tokens, 4);
  const found = tree.lookup("", tokens, 1000);
  expect(found.length).toBe(4 * PAGE_ROWS);
  // The next row, at 4 pages, sees window - 1 positions before it: exactly one page.
  expect(found.pages[1]).toEqual([-1, -1, -1, sliding![3]]);
});

test("inner pages of a windowed group go first, and the prefix is continued where its window is left", () => {
  const { tree, remember, pools } = setup(4, [null, PAGE_ROWS + 1]);
  remember("", tokens, 4);
  expect(pools[1]!.available).toBe(0);
  expect(tree.evict(1, 3)).toBe(true);
  expect(tree.lookup("", tokens, 1000).length).toBe(4 * PAGE_ROWS); // the leaf kept its page
  expect(tree.lookup("", tokens, 3 * PAGE_ROWS).length).toBe(0); // inner nodes cannot be continued any more
});

test("old branches go before the windowed pages of the prefix that newer ones share", () => {
  const { tree, remember, pools } = setup(20, [null, PAGE_ROWS + 1]);
  const branch = (last: number) => [...tokens.slice(0, 3 * PAGE_ROWS), ...Array<number>(PAGE_ROWS).fill(last)];
  remember("", branch(1001), 4);
  for (let last = 1002; last < 1010; last++) {
    const { pages, length } = tree.lookup("", branch(last), 4 * PAGE_ROWS);
    expect(length).toBe(3 * PAGE_ROWS);
    const table = pages.map((blocks, group) => [...blocks, pools[group]!.take()]);
    tree.insert("", branch(last), 4, table);
    for (const [group, blocks] of table.entries())
      for (const page of blocks) if (page >= 0) pools[group]!.release(page);
    tree.keep([8, 3]);
  }
});

test("of idle prefixes as many pages are kept as are allowed; those in use do not count", () => {
  const { tree, remember, pools } = setup(10, [null, PAGE_ROWS + 1]);
  remember("", tokens, 3);
  remember("", tokens.slice(100), 2);
  remember("", tokens.slice(200), 2);
  const held = tree.lookup("", tokens, 1000); // in use, and so not idle
  expect(held.length).toBe(3 * PAGE_ROWS);
  tree.keep([2, 4]);
  expect(tree.lookup("", tokens.slice(100), 1000).length).toBe(0);
  expect(tree.lookup("", tokens.slice(200), 1000).length).toBe(2 * PAGE_ROWS);
  expect(pools[0]!.available).toBe(5);
  tree.keep([0, 0]);
  expect(pools[0]!.available).toBe(5); // both lookups hold theirs
});

test("eviction takes the longest unused leaves and never a page that a sequence holds", () => {
  const { tree, remember, pools } = setup(4, [null]);
  remember("", tokens, 2);
  remember("", tokens.slice(100), 1); // another prompt, used later
  const held = tree.lookup("", tokens.slice(100), 1000);
  expect(tree.evict(0, 3)).toBe(true);
  expect(tree.lookup("", tokens, 1000).length).toBe(0);
  expect(tree.evict(0, 4)).toBe(false);
  pools[0]!.release(held.pages[0]![0]!);
  expect(pools[0]!.available).toBe(4);
});

test("forgetting roots by how they begin frees their pages, and those of no others", () => {
  const { tree, remember, pools } = setup(6, [null]);
  remember("1 salt", tokens, 3);
  remember("1 ", tokens, 1);
  remember("10 salt", tokens, 1);
  tree.forget("1 ");
  expect(pools[0]!.available).toBe(5);
  expect(tree.lookup("1 salt", tokens, 1000).length).toBe(0);
  expect(tree.lookup("10 salt", tokens, 1000).length).toBe(PAGE_ROWS);
});

test("a root with nothing under it is forgotten", () => {
  const { tree, remember } = setup(200, [null]);
  for (let salt = 0; salt < 100; salt++) remember(String(salt), tokens, 1 + (salt % 2));
  tree.keep([0]);
  expect((tree as unknown as { roots: Map<string, unknown> }).roots.size).toBe(0);
  remember("again", tokens, 1);
  expect(tree.lookup("again", tokens, 1000).length).toBe(PAGE_ROWS);
});

test("the first visible block is the one of position - window + 1", () => {
  expect(firstVisibleBlock(31, 16)).toBe(1);
  expect(firstVisibleBlock(30, 16)).toBe(0);
  expect(firstVisibleBlock(5, 512)).toBe(0);
  expect(firstVisibleBlock(10_000, null)).toBe(0);
});
