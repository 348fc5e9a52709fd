import { GemmaError } from "../../base/errors.js";
import { shuffledIndexes, shuffleInPlace } from "./shuffle.js";

/** Indexes of the examples that one forward and backward pass takes. */
export type Step = readonly number[];

export interface EpochOptions {
  /**
   * What a step holds: as many examples as fit `tokens`, or so many `examples` whatever their lengths. Packing takes
   * `window` examples of the shuffled order at a time (default 1024): more pack better, and are shuffled less.
   */
  readonly step: { readonly tokens: number; readonly window?: number } | { readonly examples: number };
  /** Steps whose gradients are added up before the weights change. Default: 1. */
  readonly accumulate?: number;
  /** Integer >= 0. */
  readonly seed: number;
}

const WINDOW = 1024;

/**
 * The steps of an epoch, in groups of `accumulate` that make one update of the weights; the last group may be smaller.
 * Each example comes once. The order depends on the arguments alone, and is another one for each epoch.
 *
 * @param lengths tokens of each example; both sequences of a preference count, and stay together
 * @param epoch   from 0
 * @throws ERR_RANGE for an example that is longer than a step, and numbers outside their range
 */
export function planEpoch(
  lengths: ArrayLike<number>,
  epoch: number,
  { step, accumulate = 1, seed }: EpochOptions,
): readonly (readonly Step[])[] {
  expectCount("accumulate", accumulate);
  const order = shuffledIndexes(lengths.length, seed, epoch);
  if ("examples" in step) {
    expectCount("examples of a step", step.examples);
    return inGroups(inGroups(Array.from(order), step.examples), accumulate);
  }
  const { tokens, window = WINDOW } = step;
  expectCount("tokens of a step", tokens);
  expectCount("window", window);
  const steps = inGroups(Array.from(order), window).flatMap((part) => packed(part, lengths, tokens));
  shuffleInPlace(steps, seed, epoch); // those of the longest examples would come first
  return inGroups(steps, accumulate);
}

/** First-fit decreasing: each example, the longest first, goes to the first step that has room for it. */
function packed(part: readonly number[], lengths: ArrayLike<number>, tokens: number): number[][] {
  const steps: { room: number; members: number[] }[] = [];
  for (const index of [...part].sort((a, b) => lengths[b]! - lengths[a]!)) {
    const length = lengths[index]!;
    if (length > tokens) {
      throw new GemmaError(
        "ERR_RANGE",
        `step: must hold the longest example of ${length} tokens, got room for ${tokens}`,
        {
          hint: "raise batchTokens (--batch-tokens), or cut examples at a smaller maxLength (--max-length)",
        },
      );
    }
    const step = steps.find(({ room }) => room >= length);
    if (step === undefined) steps.push({ room: tokens - length, members: [index] });
    else {
      step.members.push(index);
      step.room -= length;
    }
  }
  return steps.map(({ members }) => members);
}

function inGroups<T>(values: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let i = 0; i < values.length; i += size) groups.push(values.slice(i, i + size));
  return groups;
}

function expectCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new GemmaError("ERR_RANGE", `epoch plan: ${name} must be an integer >= 1, got ${value}`);
}
