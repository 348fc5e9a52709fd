import type { TextTable } from "./token-index.js";

/** Finds the longest of a few tokens that a text begins with, at any position: a trie in typed arrays. */
export class PrefixMatcher {
  /** 1 for bytes that some token begins with. */
  readonly firstByte = new Uint8Array(256);
  // Node n: its byte, its next sibling, its first child, and the token that ends there. 0 and -1 mean none.
  private readonly byteOf: Uint8Array;
  private readonly sibling: Int32Array;
  private readonly child: Int32Array;
  private readonly token: Int32Array;

  constructor(tokens: TextTable, ids: readonly number[]) {
    const { bytes, starts } = tokens;
    let nodes = 1;
    for (const id of ids) nodes += starts[id + 1]! - starts[id]!;
    this.byteOf = new Uint8Array(nodes);
    this.sibling = new Int32Array(nodes);
    this.child = new Int32Array(nodes);
    this.token = new Int32Array(nodes).fill(-1);
    let used = 1;
    for (const id of ids) {
      const start = starts[id]!;
      this.firstByte[bytes[start]!] = 1;
      let node = 0;
      for (let i = start; i < starts[id + 1]!; i++) {
        let next = this.step(node, bytes[i]!);
        if (next === 0) {
          next = used++;
          this.byteOf[next] = bytes[i]!;
          this.sibling[next] = this.child[node]!;
          this.child[node] = next;
        }
        node = next;
      }
      this.token[node] = id;
    }
  }

  /** The longest token that text[at..) begins with, or -1. */
  match(text: Uint8Array, at: number): number {
    let found = -1;
    let node = 0;
    for (let i = at; i < text.length; i++) {
      node = this.step(node, text[i]!);
      if (node === 0) break;
      if (this.token[node]! >= 0) found = this.token[node]!;
    }
    return found;
  }

  private step(node: number, byte: number): number {
    let next = this.child[node]!;
    while (next !== 0 && this.byteOf[next] !== byte) next = this.sibling[next]!;
    return next;
  }
}
