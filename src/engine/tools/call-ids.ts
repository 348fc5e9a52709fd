import { uniformAt } from "../../base/rng.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 24;

/**
 * Ids of new calls, `call_` and 24 letters and digits: the same for the same seed and conversation.
 *
 * @param seed  integer in 0..2^53-1
 * @param taken ids that the conversation has already
 */
export function callIds(seed: number, count: number, taken: readonly string[]): readonly string[] {
  const known = new Set(taken);
  const ids: string[] = [];
  // A conversation that goes on with one seed goes on with new draws.
  for (let index = taken.length; ids.length < count; index++) {
    const letters = Array.from({ length: LENGTH }, (_, i) => {
      return ALPHABET[Math.floor(uniformAt(seed, index * LENGTH + i) * ALPHABET.length)];
    });
    const id = `call_${letters.join("")}`;
    if (known.has(id)) continue;
    known.add(id);
    ids.push(id);
  }
  return ids;
}
