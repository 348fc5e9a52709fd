import { GemmaError } from "../../base/errors.js";
import { Sha256 } from "../../base/sha256.js";
import type { Example } from "./example.js";
import { shuffledIndexes } from "./shuffle.js";

/** How much is held out: a share of the examples, or so many. 0: nothing. */
export type HeldOut = { readonly fraction: number } | { readonly count: number };

export interface Split {
  /** Both in the order of the data. */
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
  readonly duplicates: Duplicates;
}

/** Examples that say the same but for white space. */
export interface Duplicates {
  /** How many repeat one that stands before them. */
  readonly count: number;
  /** The places of the first groups of equal ones. */
  readonly at: readonly (readonly string[])[];
}

const GROUPS_SHOWN = 10;
const PLACES_SHOWN = 5;

/**
 * Holds out examples that are drawn by the seed. Duplicates go to one part together, whichever is drawn, so that nothing
 * of what is held out is learned. The count is missed, from below, where only groups are left that are too large for it.
 *
 * @throws ERR_RANGE for a fraction outside [0, 1), a count that is no integer >= 0, or one that leaves nothing to train on
 */
export function splitExamples(examples: readonly Example[], wanted: HeldOut, seed: number): Split {
  const count = countOf(wanted, examples.length);
  const groups = groupsOf(examples);
  const isHeldOut = new Uint8Array(examples.length);
  let held = 0;
  for (const i of shuffledIndexes(groups.length, seed)) {
    const group = groups[i]!;
    if (held + group.length > count) continue;
    held += group.length;
    for (const index of group) isHeldOut[index] = 1;
  }
  if (held === 0 && count > 0) {
    throw new GemmaError(
      "ERR_RANGE",
      `held out: must hold ${count} of ${examples.length} examples, got only larger groups of duplicates`,
    );
  }
  const repeated = groups.filter(({ length }) => length > 1);
  const places = (group: readonly number[]) => group.slice(0, PLACES_SHOWN).map((index) => examples[index]!.at);
  return {
    train: examples.filter((_, i) => isHeldOut[i] === 0),
    heldOut: examples.filter((_, i) => isHeldOut[i] === 1),
    duplicates: { count: examples.length - groups.length, at: repeated.slice(0, GROUPS_SHOWN).map(places) },
  };
}

/** How many of `some` say the same as one of `others`, but for white space. */
export function countAmong(some: readonly Example[], others: readonly Example[]): number {
  const known = new Set(others.map(fingerprint));
  return some.filter((example) => known.has(fingerprint(example))).length;
}

function countOf(wanted: HeldOut, examples: number): number {
  if ("fraction" in wanted) {
    const { fraction } = wanted;
    if (!(fraction >= 0 && fraction < 1)) {
      throw new GemmaError("ERR_RANGE", `held out: the fraction must be >= 0 and < 1, got ${fraction}`);
    }
    if (fraction === 0) return 0;
    return checkCount(Math.max(1, Math.round(fraction * examples)), examples);
  }
  return checkCount(wanted.count, examples);
}

function checkCount(count: number, examples: number): number {
  if (Number.isSafeInteger(count) && count >= 0 && (count < examples || count === 0)) return count;
  throw new GemmaError(
    "ERR_RANGE",
    `held out: the count must be an integer from 0 to ${Math.max(0, examples - 1)}, one fewer than there are examples, got ${count}`,
  );
}

/** Indexes of equal examples, by the first of each. */
function groupsOf(examples: readonly Example[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [i, example] of examples.entries()) {
    const key = fingerprint(example);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  return [...groups.values()];
}

/** Equal for examples that differ in white space or place alone. */
function fingerprint({ at: _, ...content }: Example): string {
  const text = JSON.stringify(content, (_, value) =>
    typeof value === "string" ? value.replace(/\s+/g, " ").trim() : value,
  );
  return new Sha256().update(new TextEncoder().encode(text)).hex();
}
