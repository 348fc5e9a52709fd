/** Of a guess before any was judged. */
const FIRST_TRUST = 0.7;
/** What is believed at first counts as so many guesses. */
const FIRST_WEIGHT = 4;
/** Later guesses count as one of so many: texts change. */
const MOST_JUDGED = 20;
/** What was not judged for a while is trusted as at first, so that it is tried again. */
const FORGETTING = 0.002;

/** Probability that a guess is right, as far as seen: quick to learn at first, steady later. */
export class Trust {
  private judged = 0;

  constructor(private chance = FIRST_TRUST) {}

  get value(): number {
    return this.chance;
  }

  judge(isRight: boolean): void {
    this.judged = Math.min(this.judged + 1, MOST_JUDGED);
    this.chance += (Number(isRight) - this.chance) / (FIRST_WEIGHT + this.judged);
  }

  /** A token came for which nothing was guessed. */
  rest(): void {
    this.chance += FORGETTING * (FIRST_TRUST - this.chance);
  }
}
