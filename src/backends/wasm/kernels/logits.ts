import { arg, argF32 } from "./jobs";
import { exp4, splat } from "./math";

// Logits in blocks of 256.
const BLOCK: u32 = 256;

/** Item: a block. Arguments: logits of a row, V, maxima [blocks]: of each block; a NaN counts as minus infinity. */
export function blockMaxima(begin: u32, end: u32): void {
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK;
    const count = <u32>arg(1) - first < BLOCK ? <u32>arg(1) - first : BLOCK;
    const x = arg(0) + 4 * first;
    let most = splat(-Infinity);
    let i: u32 = 0;
    // pmax(a, b) is a < b ? b : a, which leaves NaNs out.
    for (; i + 4 <= count; i += 4) most = f32x4.pmax(most, v128.load(x + 4 * i));
    for (; i < count; i++) most = f32x4.pmax(most, v128.load32_splat(x + 4 * i));
    most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
    most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
    store<f32>(arg(2) + 4 * block, f32x4.extract_lane(most, 0));
  }
}

/**
 * Item: a block. Arguments: logits of a row, V, maxima [blocks], sums [blocks], 1 / temperature. Sums are those of
 * exp((logit - the block's maximum) / temperature).
 */
export function blockSums(begin: u32, end: u32): void {
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK;
    const count = <u32>arg(1) - first < BLOCK ? <u32>arg(1) - first : BLOCK;
    const x = arg(0) + 4 * first;
    const max = v128.load32_splat(arg(2) + 4 * block);
    const inverse = splat(argF32(4));
    let low = splat(0);
    let high = splat(0);
    let i: u32 = 0;
    for (; i + 8 <= count; i += 8) {
      low = f32x4.add(low, weight(v128.load(x + 4 * i), max, inverse));
      high = f32x4.add(high, weight(v128.load(x + 4 * i, 16), max, inverse));
    }
    for (; i < count; i++) {
      const value = weight(v128.load32_splat(x + 4 * i), max, inverse);
      low = f32x4.add(low, v128.and(value, i32x4(-1, 0, 0, 0)));
    }
    const sum = f32x4.add(low, high);
    const odd = f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 3);
    store<f32>(arg(3) + 4 * block, f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2) + odd);
  }
}

/** A NaN counts as minus infinity. */
// @ts-ignore: decorator
@inline
function weight(logit: v128, max: v128, inverse: v128): v128 {
  const value = exp4(f32x4.mul(f32x4.sub(logit, max), inverse));
  return v128.and(value, f32x4.eq(logit, logit));
}
