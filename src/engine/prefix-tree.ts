import { PAGE_ROWS } from "../backend/kv.js";
import type { PagePool } from "./pages.js";

/** One full page of tokens behind its parent's, with the pages that hold its keys and values. */
interface Node {
  readonly parent: Node | null;
  readonly key: string;
  readonly children: Map<string, Node>;
  readonly pages: number[]; // one a group; -1 once given back
  lastUsed: number;
}

/**
 * Remembers computed prefixes page by page, so that prompts that share one share its memory and its work: chat turns,
 * few-shot prompts, branches. One root a cache key (adapter and salt). A node can be continued only where the windowed
 * groups still hold the pages of the last window.
 */
export class PrefixTree {
  private readonly roots = new Map<string, Node>();
  private readonly nodes = new Set<Node>();
  private clock = 0;

  /** @param windows keys that each group's rows see (null: all of them) */
  constructor(
    private readonly pools: readonly PagePool[],
    private readonly windows: readonly (number | null)[],
  ) {}

  /**
   * The pages of the longest remembered prefix of `tokens`, of at most `limit` tokens, held for the caller.
   * [group][block], -1 where a windowed group needs none.
   */
  lookup(root: string, tokens: readonly number[], limit: number): { length: number; pages: number[][] } {
    const path = this.longestPath(root, tokens, limit);
    const length = path.length * PAGE_ROWS;
    const pages = this.pools.map((pool, group) =>
      path.map((n, block) => {
        const page = block < firstVisibleBlock(length, this.windows[group] ?? null) ? -1 : n.pages[group]!;
        if (page >= 0) pool.hold(page);
        return page;
      }),
    );
    for (const n of path) n.lastUsed = ++this.clock;
    return { length, pages };
  }

  /** Length of the longest remembered prefix of `tokens`, of at most `limit` tokens. */
  match(root: string, tokens: readonly number[], limit: number): number {
    return this.longestPath(root, tokens, limit).length * PAGE_ROWS;
  }

  /** Remembers the first `blocks` blocks of `tokens`, computed into `pages` [group][block]. New pages gain a holder. */
  insert(root: string, tokens: readonly number[], blocks: number, pages: readonly (readonly number[])[]): void {
    let node = this.roots.get(root) ?? newNode(null, root, []);
    for (let block = 0; block < blocks; block++) {
      const key = blockKey(tokens, block);
      let next: Node | undefined = node.children.get(key);
      if (!next) {
        const held = pages.map((group) => group[block] ?? -1);
        if (held[0]! < 0) return; // the global group gave it back: nothing to remember from here on
        next = newNode(node, key, held);
        for (const [group, page] of held.entries()) if (page >= 0) this.pools[group]!.remember(page);
        node.children.set(key, next);
        this.nodes.add(next);
        if (node.parent === null) this.roots.set(root, node);
      }
      next.lastUsed = ++this.clock;
      node = next;
    }
  }

  /**
   * Gives back remembered pages of `group` until `wanted` are free there, the longest unused first; true if so.
   * Inner nodes only lose their windowed pages; leaves go whole.
   */
  evict(group: number, wanted: number): boolean {
    const pool = this.pools[group]!;
    if (pool.available >= wanted) return true;
    const oldest = [...this.nodes].sort((a, b) => a.lastUsed - b.lastUsed);
    for (const node of oldest) {
      if (pool.available >= wanted) return true;
      if (node.children.size > 0) {
        if (this.windows[group] !== null) this.giveBack(node, group);
        continue;
      }
      // A leaf that goes may turn its parents into leaves older than the next in line.
      let leaf: Node | null = node;
      while (leaf?.parent && leaf.children.size === 0) {
        if (pool.available >= wanted) return true;
        const parent: Node | null = leaf.parent;
        this.remove(leaf);
        leaf = parent && parent.lastUsed <= node.lastUsed ? parent : null;
      }
    }
    return pool.available >= wanted;
  }

  /** Forgets the longest unused until at most `most` pages [group] have no other holder than this tree. */
  keep(most: readonly number[]): void {
    for (const [group, pool] of this.pools.entries()) {
      this.evict(group, pool.available + Math.max(0, pool.idle - most[group]!));
    }
  }

  /** Forgets everything under roots that begin with `start`, e.g. when an adapter is unloaded. */
  forget(start: string): void {
    const stack: Node[] = [];
    for (const [root, top] of this.roots) {
      if (!root.startsWith(start)) continue;
      this.roots.delete(root);
      stack.push(...top.children.values());
    }
    for (let node = stack.pop(); node; node = stack.pop()) {
      stack.push(...node.children.values());
      for (let group = 0; group < this.pools.length; group++) this.giveBack(node, group);
      this.nodes.delete(node);
    }
  }

  private longestPath(root: string, tokens: readonly number[], limit: number): Node[] {
    const path: Node[] = [];
    let node = this.roots.get(root);
    while (node && (path.length + 1) * PAGE_ROWS <= limit) {
      const next: Node | undefined = node.children.get(blockKey(tokens, path.length));
      if (!next) break;
      path.push(next);
      node = next;
    }
    while (path.length > 0 && !this.continuable(path)) path.pop();
    return path;
  }

  private continuable(path: readonly Node[]): boolean {
    const length = path.length * PAGE_ROWS;
    return this.windows.every((window, group) =>
      path.slice(firstVisibleBlock(length, window)).every((node) => node.pages[group]! >= 0),
    );
  }

  private remove(node: Node): void {
    for (let group = 0; group < this.pools.length; group++) this.giveBack(node, group);
    this.nodes.delete(node);
    const { parent } = node;
    parent?.children.delete(node.key);
    // Salts come and go: a root with nothing under it would be kept for ever.
    if (parent?.parent === null && parent.children.size === 0) this.roots.delete(parent.key);
  }

  private giveBack(node: Node, group: number): void {
    const page = node.pages[group]!;
    if (page < 0) return;
    this.pools[group]!.forget(page);
    node.pages[group] = -1;
  }
}

/** The first block that a row at `position` sees: position - window + 1 is its first visible key. */
export function firstVisibleBlock(position: number, window: number | null): number {
  return window === null ? 0 : Math.max(0, Math.floor((position - window + 1) / PAGE_ROWS));
}

function newNode(parent: Node | null, key: string, pages: number[]): Node {
  return { parent, key, children: new Map(), pages, lastUsed: 0 };
}

function blockKey(tokens: readonly number[], block: number): string {
  return tokens.slice(block * PAGE_ROWS, (block + 1) * PAGE_ROWS).join(",");
}
