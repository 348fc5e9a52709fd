const ARITY = 4; // the four children of a node lie in one cache line

/**
 * Places in a word where two symbols may be merged, the highest rank first, the leftmost of equals: a heap in one
 * typed array.
 */
export class PairHeap {
  /** What the last pop() took. */
  rank = 0;
  start = 0;
  private size = 0;
  private entries = new Int32Array(128); // pairs: rank, start

  push(rank: number, start: number): void {
    if (this.size * 2 === this.entries.length) {
      const larger = new Int32Array(this.entries.length * 2);
      larger.set(this.entries);
      this.entries = larger;
    }
    const { entries } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = ((at - 1) / ARITY) | 0;
      const parentRank = entries[2 * parent]!;
      const parentStart = entries[2 * parent + 1]!;
      if (rank < parentRank || (rank === parentRank && start >= parentStart)) break;
      entries[2 * at] = parentRank;
      entries[2 * at + 1] = parentStart;
      at = parent;
    }
    entries[2 * at] = rank;
    entries[2 * at + 1] = start;
  }

  /** Takes the best entry into rank and start; false when there is none. */
  pop(): boolean {
    if (this.size === 0) return false;
    const { entries } = this;
    this.rank = entries[0]!;
    this.start = entries[1]!;
    const last = --this.size;
    const rank = entries[2 * last]!;
    const start = entries[2 * last + 1]!;
    let at = 0;
    for (;;) {
      const first = ARITY * at + 1;
      if (first >= last) break;
      let best = first;
      let bestRank = entries[2 * first]!;
      let bestStart = entries[2 * first + 1]!;
      const end = Math.min(first + ARITY, last);
      for (let child = first + 1; child < end; child++) {
        const childRank = entries[2 * child]!;
        const childStart = entries[2 * child + 1]!;
        if (childRank > bestRank || (childRank === bestRank && childStart < bestStart)) {
          best = child;
          bestRank = childRank;
          bestStart = childStart;
        }
      }
      if (rank > bestRank || (rank === bestRank && start <= bestStart)) break;
      entries[2 * at] = bestRank;
      entries[2 * at + 1] = bestStart;
      at = best;
    }
    entries[2 * at] = rank;
    entries[2 * at + 1] = start;
    return true;
  }

  /** Empties the heap and gives its memory back. */
  reset(): void {
    this.size = 0;
    this.entries = new Int32Array(128);
  }
}
