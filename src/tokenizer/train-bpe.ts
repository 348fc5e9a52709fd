import { CountHeap } from "./count-heap.js";

export interface BpeLimits {
  /** Most merges. */
  readonly merges: number;
  /** Characters of a piece at most. */
  readonly longest: number;
}

interface Word {
  /** How often it occurs. */
  readonly count: number;
  /** Its pieces so far. */
  parts: string[];
}

/**
 * Byte-pair encoding, learned from words: again and again the text that two neighbouring pieces make together most often
 * becomes a piece (of equals the shorter one, then the one that sorts first), until none occurs twice. A piece is a text,
 * whatever it was put together from. Behind each step the words are cut as an encoder cuts them that merges by rank: the
 * earliest piece first, the leftmost of equals.
 *
 * @param counts how often each word occurs
 * @returns the pieces of two and more characters in the order they were made
 */
export function bpeMerges(counts: ReadonlyMap<string, number>, { merges, longest }: BpeLimits): string[] {
  const words: Word[] = [];
  const pairs = new PairCounts(longest);
  for (const [text, count] of counts) {
    const word = { count, parts: [...text] };
    pairs.add(word, words.push(word) - 1, count);
  }
  const ranks = new Map<string, number>();
  while (ranks.size < merges) {
    const piece = pairs.best();
    if (piece === undefined) break;
    ranks.set(piece, ranks.size);
    for (const at of pairs.wordsWith(piece)) {
      const word = words[at]!;
      pairs.add(word, at, -word.count);
      mergeByRank(word.parts, ranks);
      pairs.add(word, at, word.count);
    }
  }
  return [...ranks.keys()];
}

/** Merges the neighbours whose text has the lowest rank, the leftmost of equals, until none has one. */
export function mergeByRank(parts: string[], ranks: ReadonlyMap<string, number>): void {
  for (;;) {
    let best = -1;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let i = 1; i < parts.length; i++) {
      const rank = ranks.get(parts[i - 1]! + parts[i]!);
      if (rank === undefined || rank >= bestRank) continue;
      best = i;
      bestRank = rank;
    }
    if (best < 0) return;
    parts.splice(best - 1, 2, parts[best - 1]! + parts[best]!);
  }
}

/** How often two neighbours make each text, and in which words. */
class PairCounts {
  private readonly counts = new Map<string, number>();
  private readonly places = new Map<string, Set<number>>();
  private readonly heap = new CountHeap();

  constructor(private readonly longest: number) {}

  /** Adds `by` for each pair of neighbours of the word number `at`. */
  add({ parts }: Word, at: number, by: number): void {
    for (let i = 1; i < parts.length; i++) {
      const text = parts[i - 1]! + parts[i]!;
      if (text.length > this.longest && [...text].length > this.longest) continue;
      const count = (this.counts.get(text) ?? 0) + by;
      this.counts.set(text, count);
      if (by < 0) continue;
      this.heap.push(text, count);
      const places = this.places.get(text);
      if (places === undefined) this.places.set(text, new Set([at]));
      else places.add(at);
    }
  }

  /** The text of most pairs, two at least. */
  best(): string | undefined {
    for (let top = this.heap.pop(); top !== undefined; top = this.heap.pop()) {
      const count = this.counts.get(top.text)!;
      if (count === top.count) return count >= 2 ? top.text : undefined;
      if (count < top.count && count > 0) this.heap.push(top.text, count); // it has become rarer since
    }
    return undefined;
  }

  /** Words that have had such a pair. */
  wordsWith(text: string): readonly number[] {
    return [...(this.places.get(text) ?? [])];
  }
}
