import { ARGS } from "../layout";
import { arg, argF32 } from "./jobs";

/** Two rounds of SplitMix64's finaliser would be base/rng.ts: the first, of the seed, is an argument. */
// @ts-ignore: decorator
@inline
function mix(value: u64): u64 {
  let z = value + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/**
 * Item: an element. Arguments: out, x, the factor of those that stay, nothing, u64: the mixed seed and the first draw, f64:
 * the rate times 2^32.
 */
export function dropout(begin: u32, end: u32): void {
  const seed = load<u64>(ARGS + 16);
  const first = load<u64>(ARGS + 24);
  const limit = load<f64>(ARGS + 32);
  const factor = argF32(2);
  for (let i = begin; i < end; i++) {
    const isDropped = <f64>(mix(seed + first + i) >> 32) < limit;
    store<f32>(arg(0) + 4 * i, isDropped ? 0 : load<f32>(arg(1) + 4 * i) * factor);
  }
}
