import { GemmaError } from "../../base/errors.js";
import { mix64, seededRng } from "../../base/rng.js";

/**
 * The integers 0 to `count` - 1 in an order that its arguments alone decide.
 *
 * @param seed   integer >= 0
 * @param stream integer >= 0: one seed has an order for each, for instance for each epoch
 * @throws ERR_RANGE
 */
export function shuffledIndexes(count: number, seed: number, stream = 0): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  shuffleInPlace(order, seed, stream);
  return order;
}

/** Fisher and Yates. */
export function shuffleInPlace(
  values: { [index: number]: unknown; length: number },
  seed: number,
  stream: number,
): void {
  for (const [name, value] of Object.entries({ seed, stream })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new GemmaError("ERR_RANGE", `shuffle: ${name} must be an integer >= 0, got ${value}`);
  }
  const rng = seededRng(Number(mix64(mix64(BigInt(seed)) + BigInt(stream)) >> 11n));
  for (let i = values.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
}
