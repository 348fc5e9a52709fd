// A quantised panel times one row: quants are unpacked in registers.
import { W_BITS, W_GROUP, W_HAS_MIN, W_OFFSET } from "../layout";
import { dot, xFirst, xSecond, xStep } from "./dot";
import { madd, splat } from "./math";
import { quantBytes } from "./prepare-x";
import { quantBytesOf } from "./scales";

/**
 * Adds columns begin .. end of a panel times a prepared row to sums [16]: exact integer sums of a group, then in ascending
 * order one multiplication with its scale, an addition of its minimum, and one multiplication per block of 32.
 */
export function multiplyRow(
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  scales: usize,
  mins: usize,
  sums: usize,
): void {
  const bits = load<u32>(weight + W_BITS);
  const quants = panel + quantBytesOf(bits, begin);
  const blocks = (end - begin) >> 5;
  const xScales = x + quantBytes(columns) + (begin >> 3);
  const xSums = x + quantBytes(columns) + (columns >> 3) + (begin >> 2);
  const isHalf = load<u32>(weight + W_GROUP) == 16;
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const offset = load<i32>(weight + W_OFFSET);
  const from = x + begin * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2);
  if (bits == 4) nibbles(4, quants, blocks, from, xScales, xSums, scales, mins, sums, isHalf, hasMin, offset);
  else if (bits == 5) nibbles(5, quants, blocks, from, xScales, xSums, scales, mins, sums, isHalf, hasMin, offset);
  else if (bits == 6) nibbles(6, quants, blocks, from, xScales, xSums, scales, mins, sums, isHalf, hasMin, offset);
  else bytes(quants, blocks, x + (ASC_FEATURE_RELAXED_SIMD ? columns : 0) + 2 * begin, xScales, scales, sums);
}

// @ts-ignore: decorator
@inline
function low(bits: i32, pair: v128, plane: v128): v128 {
  const nibble = v128.and(pair, i8x16.splat(15));
  if (bits == 5) return v128.or(nibble, i16x8.shl(v128.and(plane, i8x16.splat(1)), 4));
  if (bits == 6) return v128.or(nibble, i16x8.shl(v128.and(plane, i8x16.splat(3)), 4));
  return nibble;
}

// @ts-ignore: decorator
@inline
function high(bits: i32, pair: v128, plane: v128): v128 {
  const nibble = i8x16.shr_u(pair, 4);
  if (bits == 5) return v128.or(nibble, i16x8.shl(v128.and(plane, i8x16.splat(2)), 3));
  if (bits == 6) return v128.or(nibble, i16x8.shl(v128.and(plane, i8x16.splat(12)), 2));
  return nibble;
}

// @ts-ignore: decorator
@inline
function next(bits: i32, plane: v128): v128 {
  return bits == 5 ? i16x8.shr_u(plane, 2) : bits == 6 ? i16x8.shr_u(plane, 4) : plane;
}

// @ts-ignore: decorator
@inline
function nibbles(
  bits: i32,
  quants: usize,
  blocks: u32,
  x: usize,
  xScales: usize,
  xSums: usize,
  scales: usize,
  mins: usize,
  sums: usize,
  isHalf: bool,
  hasMin: bool,
  offset: i32,
): void {
  let t0 = v128.load(sums);
  let t1 = v128.load(sums, 16);
  let t2 = v128.load(sums, 32);
  let t3 = v128.load(sums, 48);
  for (let b: u32 = 0; b < blocks; b++) {
    let p0 = i32x4.splat(0);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    if (bits > 4) {
      p0 = v128.load(quants, 256);
      p1 = v128.load(quants, 272);
      p2 = v128.load(quants, 288);
      p3 = v128.load(quants, 304);
    }
    let f0 = splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    for (let part: u32 = 0; part < 2; part++) {
      const sum = isHalf ? load<i32>(xSums + 4 * part) : load<i32>(xSums) + load<i32>(xSums, 4);
      let d0 = i32x4.splat(hasMin ? 0 : -offset * sum);
      let d1 = d0;
      let d2 = d0;
      let d3 = d0;
      const vectors: u32 = isHalf ? 2 : 4;
      for (let j: u32 = 0; j < vectors; j++) {
        let first = xFirst(x);
        let second = xSecond(x);
        const q0 = v128.load(quants);
        const q1 = v128.load(quants, 16);
        const q2 = v128.load(quants, 32);
        const q3 = v128.load(quants, 48);
        d0 = dot(low(bits, q0, p0), first, second, d0);
        d1 = dot(low(bits, q1, p1), first, second, d1);
        d2 = dot(low(bits, q2, p2), first, second, d2);
        d3 = dot(low(bits, q3, p3), first, second, d3);
        first = xFirst(x + xStep());
        second = xSecond(x + xStep());
        d0 = dot(high(bits, q0, p0), first, second, d0);
        d1 = dot(high(bits, q1, p1), first, second, d1);
        d2 = dot(high(bits, q2, p2), first, second, d2);
        d3 = dot(high(bits, q3, p3), first, second, d3);
        p0 = next(bits, p0);
        p1 = next(bits, p1);
        p2 = next(bits, p2);
        p3 = next(bits, p3);
        quants += 64;
        x += 2 * xStep();
      }
      const s0 = f32x4.mul(f32x4.convert_i32x4_s(d0), v128.load(scales));
      const s1 = f32x4.mul(f32x4.convert_i32x4_s(d1), v128.load(scales, 16));
      const s2 = f32x4.mul(f32x4.convert_i32x4_s(d2), v128.load(scales, 32));
      const s3 = f32x4.mul(f32x4.convert_i32x4_s(d3), v128.load(scales, 48));
      scales += 64;
      if (part == 0) {
        f0 = s0;
        f1 = s1;
        f2 = s2;
        f3 = s3;
      } else {
        f0 = f32x4.add(f0, s0);
        f1 = f32x4.add(f1, s1);
        f2 = f32x4.add(f2, s2);
        f3 = f32x4.add(f3, s3);
      }
      if (hasMin) {
        const each = splat(<f32>sum);
        f0 = madd(v128.load(mins), each, f0);
        f1 = madd(v128.load(mins, 16), each, f1);
        f2 = madd(v128.load(mins, 32), each, f2);
        f3 = madd(v128.load(mins, 48), each, f3);
        mins += 64;
      }
      if (!isHalf) break;
      if (bits == 6 && part == 0) {
        p0 = v128.load(quants, 192); // the second plane, from where the first two vectors end
        p1 = v128.load(quants, 208);
        p2 = v128.load(quants, 224);
        p3 = v128.load(quants, 240);
      }
    }
    if (bits == 5) quants += 64;
    if (bits == 6) quants += 128;
    xSums += 8;
    const scale = v128.load32_splat(xScales);
    xScales += 4;
    t0 = madd(f0, scale, t0);
    t1 = madd(f1, scale, t1);
    t2 = madd(f2, scale, t2);
    t3 = madd(f3, scale, t3);
  }
  v128.store(sums, t0);
  v128.store(sums, t1, 16);
  v128.store(sums, t2, 32);
  v128.store(sums, t3, 48);
}

/** Signed bytes times i16 pairs, or their positive parts and negated negative ones apart: x has 8 bits, relaxed SIMD 7. */
// @ts-ignore: decorator
@inline
function byteDot(quants: v128, x: v128, sum: v128, isOdd: bool): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(quants, x, sum);
  } else {
    const wide = isOdd ? i16x8.shr_s(quants, 8) : i16x8.shr_s(i16x8.shl(quants, 8), 8);
    return i32x4.add(sum, i32x4.dot_i16x8_s(wide, x));
  }
}

function bytes(quants: usize, blocks: u32, x: usize, xScales: usize, scales: usize, sums: usize): void {
  let t0 = v128.load(sums);
  let t1 = v128.load(sums, 16);
  let t2 = v128.load(sums, 32);
  let t3 = v128.load(sums, 48);
  for (let b: u32 = 0; b < blocks; b++) {
    let d0 = i32x4.splat(0);
    let d1 = d0;
    let d2 = d0;
    let d3 = d0;
    let e0 = d0;
    let e1 = d0;
    let e2 = d0;
    let e3 = d0;
    for (let j: u32 = 0; j < 8; j++) {
      const first = v128.load32_splat(x);
      const second = v128.load32_splat(x, 4);
      const q0 = v128.load(quants);
      const q1 = v128.load(quants, 16);
      const q2 = v128.load(quants, 32);
      const q3 = v128.load(quants, 48);
      d0 = byteDot(q0, first, d0, false);
      e0 = byteDot(q0, second, e0, true);
      d1 = byteDot(q1, first, d1, false);
      e1 = byteDot(q1, second, e1, true);
      d2 = byteDot(q2, first, d2, false);
      e2 = byteDot(q2, second, e2, true);
      d3 = byteDot(q3, first, d3, false);
      e3 = byteDot(q3, second, e3, true);
      quants += 64;
      x += 8;
    }
    const scale = v128.load32_splat(xScales);
    t0 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d0, e0)), v128.load(scales)), scale, t0);
    t1 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d1, e1)), v128.load(scales, 16)), scale, t1);
    t2 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d2, e2)), v128.load(scales, 32)), scale, t2);
    t3 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d3, e3)), v128.load(scales, 48)), scale, t3);
    xScales += 4;
    scales += 64;
  }
  v128.store(sums, t0);
  v128.store(sums, t1, 16);
  v128.store(sums, t2, 32);
  v128.store(sums, t3, 48);
}

// @ts-ignore: decorator
@inline
function join(d: v128, e: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.sub(d, e) : i32x4.add(d, e);
}
