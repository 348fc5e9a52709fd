/** So many runs of neighbours are named. */
const MOST_RANGES = 1000;

/** Where many lines stand, in few words: `a.jsonl:21-24,30 b.jsonl:2`. */
export class Places {
  private readonly ranges: { readonly name: string; readonly first: number; last: number }[] = [];
  private left = 0;

  /** @param at  `a.jsonl:21` or `a.json[21]`; neighbours one behind the other */
  add(at: string): void {
    const [, name = at, number = ""] = /^(.*)[:[](\d+)\]?$/s.exec(at) ?? [];
    const previous = this.ranges.at(-1);
    if (previous?.name === name && previous.last + 1 === Number(number)) previous.last++;
    else if (this.ranges.length < MOST_RANGES) this.ranges.push({ name, first: Number(number), last: Number(number) });
    else this.left++;
  }

  toString(): string {
    const words = this.ranges.map(({ name, first, last }, i) => {
      const range = first === last ? `${first}` : `${first}-${last}`;
      if (name === this.ranges[i - 1]?.name) return `,${range}`;
      return `${i === 0 ? "" : " "}${name}:${range}`;
    });
    return words.join("") + (this.left > 0 ? " and others" : "");
  }
}
