/** Candidate merges, the one with the highest score first, the leftmost of equals: a binary heap in typed arrays. */
export class PairHeap {
  /** What the last pop() took: where the pair starts and ends, and the token it makes. */
  start = 0;
  end = 0;
  token = 0;
  private size = 0;
  private scores = new Float32Array(0);
  private starts = new Int32Array(0);
  private ends = new Int32Array(0);
  private tokens = new Int32Array(0);

  constructor() {
    this.reset();
  }

  push(score: number, start: number, end: number, token: number): void {
    if (this.size === this.scores.length) this.grow();
    const { scores, starts } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (score < scores[parent]! || (score === scores[parent]! && start > starts[parent]!)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, score, start, end, token);
  }

  /** Takes the best pair into start, end and token; false when there is none. */
  pop(): boolean {
    if (this.size === 0) return false;
    const { scores, starts } = this;
    this.start = starts[0]!;
    this.end = this.ends[0]!;
    this.token = this.tokens[0]!;
    const last = --this.size;
    const score = scores[last]!;
    const start = starts[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      const right = child + 1;
      if (right < last) {
        const difference = scores[right]! - scores[child]!;
        if (difference > 0 || (difference === 0 && starts[right]! < starts[child]!)) child = right;
      }
      if (score > scores[child]! || (score === scores[child]! && start < starts[child]!)) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, score, start, this.ends[last]!, this.tokens[last]!);
    return true;
  }

  /** Empties the heap and gives its memory back. */
  reset(): void {
    this.size = 0;
    this.scores = new Float32Array(64);
    this.starts = new Int32Array(64);
    this.ends = new Int32Array(64);
    this.tokens = new Int32Array(64);
  }

  private put(at: number, score: number, start: number, end: number, token: number): void {
    this.scores[at] = score;
    this.starts[at] = start;
    this.ends[at] = end;
    this.tokens[at] = token;
  }

  private move(from: number, to: number): void {
    this.put(to, this.scores[from]!, this.starts[from]!, this.ends[from]!, this.tokens[from]!);
  }

  private grow(): void {
    const size = this.scores.length * 2;
    const enlarge = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(size);
      larger.set(array);
      return larger;
    };
    const scores = new Float32Array(size);
    scores.set(this.scores);
    this.scores = scores;
    this.starts = enlarge(this.starts);
    this.ends = enlarge(this.ends);
    this.tokens = enlarge(this.tokens);
  }
}
