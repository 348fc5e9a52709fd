/** Positions by a hash of two tokens; longer texts forget their oldest pairs first. 64 KB a sequence. */
const SLOTS_BITS = 14;
/** Of a guess before any was judged: what ordinary text reaches at temperature 1. */
const FIRST_TRUST = 0.3;
const TRUST_RATE = 0.1;

/**
 * Guesses how a sequence goes on: as it did behind the latest earlier place with the same last two tokens. Texts that
 * quote, edit or repeat what stands before are guessed well. Every guess is judged, computed or not, so that trust
 * follows the text at no cost.
 */
export class PromptLookup {
  /** Probability that a guess is right, as far as seen. */
  trust = FIRST_TRUST;
  private readonly latest = new Int32Array(1 << SLOTS_BITS); // position behind the pair; 0: none
  private indexed = 2; // pairs before these positions are in `latest`
  private source = 0; // where the next token is guessed from; 0: nowhere

  /** @param tokens the sequence, which grows; next() is to be called after each token */
  constructor(private readonly tokens: readonly number[]) {}

  /** Whether there is a guess. */
  get hasGuess(): boolean {
    return this.source > 0;
  }

  /** Judges the guess of the newest token, and makes one for the token behind it. */
  next(): void {
    const { tokens, source } = this;
    const isHit = source > 0 && tokens[source] === tokens.at(-1);
    if (source > 0) this.trust += TRUST_RATE * (Number(isHit) - this.trust);
    this.source = isHit ? source + 1 : this.find();
  }

  /** The next `count` tokens as guessed. A repetition shorter than that goes on in the guess itself. */
  draft(count: number): readonly number[] {
    const { tokens, source } = this;
    const draft: number[] = [];
    for (let at = source; draft.length < count; at++) draft.push(tokens[at] ?? draft[at - tokens.length]!);
    return draft;
  }

  /** The position behind the latest earlier pair that equals the last one, or 0. */
  private find(): number {
    const { tokens, latest } = this;
    const end = tokens.length;
    for (; this.indexed < end; this.indexed++) latest[this.slot(this.indexed)] = this.indexed;
    if (end < 2) return 0;
    const at = latest[this.slot(end)]!;
    return tokens[at - 1] === tokens[end - 1] && tokens[at - 2] === tokens[end - 2] ? at : 0;
  }

  /** Of the pair before position `end`. */
  private slot(end: number): number {
    const pair = Math.imul(this.tokens[end - 2]!, 0x9e3779b1) ^ Math.imul(this.tokens[end - 1]!, 0x85ebca6b);
    return Math.imul(pair ^ (pair >>> 15), 0x2c1b3c6d) >>> (32 - SLOTS_BITS);
  }
}
