import { Sha256 } from "../../base/sha256.js";

/** A seed that depends on its arguments alone: integer in 0..2^53-1. */
export function derivedSeed(seed: number, ...parts: readonly (string | number)[]): number {
  const bytes = new TextEncoder().encode(JSON.stringify([seed, ...parts]));
  const first = new Sha256().update(bytes).hex().slice(0, 16);
  return Number(BigInt(`0x${first}`) >> 11n);
}
