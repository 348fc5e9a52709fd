// Activations as integers. A prepared row: quants, f32 scale of each 32, i32 sum of each 16 quants, and with relaxed SIMD
// i32 sum of each 32's negated negative quants.
import { arg } from "./jobs";
import { splat } from "./math";

/**
 * Bytes of a row's quants. Relaxed: K bytes, then for 8-bit weights, per 4 columns, positive parts and negated negative
 * parts (either has 7 bits). Else: per 4 columns i16 of the first and third, then the second and fourth.
 */
// @ts-ignore: decorator
@inline
export function xQuantBytes(columns: u32): u32 {
  return ASC_FEATURE_RELAXED_SIMD ? 3 * columns : 2 * columns;
}

/** Distance of two prepared rows. */
export function xBytes(columns: u32): u32 {
  return (xQuantBytes(columns) + 2 * (columns >> 3) + (columns >> 2) + 15) & ~15;
}

/** Item: a row. Arguments: x, K, prepared rows. */
export function prepareX(begin: u32, end: u32): void {
  const columns = <u32>arg(1);
  for (let t = begin; t < end; t++) {
    const x = arg(0) + 4 * t * columns;
    const out = arg(2) + t * xBytes(columns);
    const scales = out + xQuantBytes(columns);
    const sums = scales + (columns >> 3);
    for (let k: u32 = 0; k < columns; k += 32) {
      const inverse = scaleOf(x + 4 * k, scales + (k >> 3));
      quantise(x + 4 * k, splat(inverse), out, columns, k, sums + (k >> 2));
      quantise(x + 4 * k + 64, splat(inverse), out, columns, k + 16, sums + (k >> 2) + 4);
      if (ASC_FEATURE_RELAXED_SIMD) {
        store<i32>(sums + (columns >> 2) + (k >> 3), sumOfMinus(out + columns + 2 * k));
      }
    }
  }
}

/** Stores a block's scale: NaN where x has a NaN or an infinity, so that the result is one. Returns 127 / max, or 0. */
function scaleOf(x: usize, scale: usize): f32 {
  // The bits of floats without sign compare as integers, NaN above all.
  let most = i32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    most = i32x4.max_s(most, v128.and(v128.load(x + i), i32x4.splat(0x7fffffff)));
  }
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  const bits = i32x4.extract_lane(most, 0);
  const max = reinterpret<f32>(bits);
  const inverse: f32 = 127 / max;
  const isFinite = bits < 0x7f800000;
  const isUsable = isFinite && inverse < Infinity; // else so small that it counts as zero
  store<f32>(scale, isUsable ? max / 127 : isFinite ? <f32>0 : <f32>NaN);
  return isUsable ? inverse : 0;
}

// @ts-ignore: decorator
@inline
function code(x: usize, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x), inverse))); // half to even; NaN: 0
}

/** 16 columns from k on. */
function quantise(x: usize, inverse: v128, out: usize, columns: u32, k: u32, sum: usize): void {
  const low = i16x8.narrow_i32x4_s(code(x, inverse), code(x + 16, inverse));
  const high = i16x8.narrow_i32x4_s(code(x + 32, inverse), code(x + 48, inverse));
  let sums = i32x4.add(i32x4.extadd_pairwise_i16x8_s(low), i32x4.extadd_pairwise_i16x8_s(high));
  sums = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
  store<i32>(sum, i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1));
  if (ASC_FEATURE_RELAXED_SIMD) {
    const quants = i8x16.narrow_i16x8_s(low, high);
    const plus = i8x16.max_s(quants, i8x16.splat(0));
    const minus = i8x16.max_s(i8x16.neg(quants), i8x16.splat(0));
    v128.store(out + k, quants);
    v128.store(out + columns + 2 * k, v128.shuffle<i32>(plus, minus, 0, 4, 1, 5));
    v128.store(out + columns + 2 * k + 16, v128.shuffle<i32>(plus, minus, 2, 6, 3, 7));
  } else {
    v128.store(out + 2 * k, v128.shuffle<i16>(low, low, 0, 2, 1, 3, 4, 6, 5, 7));
    v128.store(out + 2 * k + 16, v128.shuffle<i16>(high, high, 0, 2, 1, 3, 4, 6, 5, 7));
  }
}

/** The sum of 32 negated negative quants out of 64 bytes: every second four. */
function sumOfMinus(parts: usize): i32 {
  let sum = i16x8.splat(0);
  for (let i: usize = 0; i < 64; i += 16) sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_s(v128.load(parts + i)));
  const pairs = i32x4.extadd_pairwise_i16x8_s(sum); // fours: positive, negative, positive, negative
  return i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 3);
}
