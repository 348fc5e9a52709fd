import { createHash } from "node:crypto";

/** A seed that depends on its arguments alone: integer in 0..2^53-1. */
export function derivedSeed(seed: number, ...parts: readonly (string | number)[]): number {
  const bits = createHash("sha256")
    .update(JSON.stringify([seed, ...parts]))
    .digest()
    .readBigUInt64BE();
  return Number(bits >> 11n);
}
