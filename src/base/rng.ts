/** Random numbers from one seed. */
export interface Rng {
  /** In [0, 1), 32 random bits. */
  uniform(): number;
  /** In [low, high). */
  between(low: number, high: number): number;
  /** Integer in [0, below). */
  integer(below: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
}

const MASK = 0xffff_ffff_ffff_ffffn;

/** Mixes 64 bits. */
export function mix64(value: bigint): bigint {
  let z = (value + 0x9e37_79b9_7f4a_7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}

/**
 * The `index`-th uniform number in [0, 1) of `seed`, with 32 random bits. Counter-based: it depends on its arguments
 * alone, so a draw is the same in any batch, on any thread and after preemption. Two rounds of the 64-bit finaliser of
 * SplitMix64 (Steele, Lea, Flood 2014); the native sampler computes the same bits.
 *
 * @param seed  integer in 0..2^53-1
 * @param index integer in 0..2^53-1
 */
export function uniformAt(seed: number, index: number): number {
  const bits = mix64((mix64(BigInt(seed)) + BigInt(index)) & MASK);
  return Number(bits >> 32n) / 2 ** 32;
}

/**
 * A sequence of numbers from one seed, for tests and fixtures: sfc32 (Doty-Humphrey, PractRand), which needs no
 * 64-bit arithmetic and fills the millions of elements of a test matrix quickly.
 */
export function seededRng(seed: number): Rng {
  const bits = mix64(BigInt(seed));
  let a = Number(bits >> 32n) | 0;
  let b = Number(bits & 0xffff_ffffn) | 0;
  let c = 0x9e37_79b9 | 0;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next(); // the state is well mixed from here on
  const uniform = () => next() / 2 ** 32;
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    integer: (below) => Math.floor(uniform() * below),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
