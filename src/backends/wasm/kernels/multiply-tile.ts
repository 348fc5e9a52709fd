// Unpacked quants times tiles of four rows: the same operations on a row, in the same order, as multiply-row.ts.
import { W_BITS, W_GROUP, W_HAS_MIN, W_OFFSET } from "../layout";
import { dot, xSecond, xStep } from "./dot";
import { madd, splat } from "./math";
import { xBytes, xQuantBytes } from "./prepare-x";
import { readBytes, readQuants } from "./scales";

/** Whether multiplyTiles takes the panel's own quants: relaxed SIMD multiplies signed bytes with parts of x. */
// @ts-ignore: decorator
@inline
function isDirect(bits: u32): bool {
  return ASC_FEATURE_RELAXED_SIMD && bits == 8;
}

/** Writes the quants of columns begin .. end as multiplyTiles takes them, 16 bytes a column. */
export function tileQuants(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  if (isDirect(load<u32>(weight + W_BITS))) {
    for (let k = begin; k < end; k += 32, out += 512) readBytes(weight, panel, k, i8x16.splat(0), out);
  } else readQuants(weight, panel, begin, end, out);
}

/** Adds columns begin .. end times `rows` prepared rows to sums [rows][16]. */
export function multiplyTiles(
  weight: usize,
  quants: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  rows: u32,
  scales: usize,
  mins: usize,
  sums: usize,
): void {
  const stride = xBytes(columns);
  const bits = load<u32>(weight + W_BITS);
  const isHalf = load<u32>(weight + W_GROUP) == 16;
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const offset = bits == 8 ? 128 : load<i32>(weight + W_OFFSET);
  let row: u32 = 0;
  for (; row + 4 <= rows; row += 4) {
    const from = x + row * stride;
    const to = sums + 64 * row;
    for (let column: usize = 0; column < 64; column += 32) {
      if (isDirect(bits)) signedTile4(quants + column, begin, end, from, columns, stride, scales + column, to + column);
      else if (isHalf) tile4Halves(quants + column, begin, end, from, columns, stride, scales + column, mins + column, to + column, hasMin, offset);
      else tile4(quants + column, begin, end, from, columns, stride, scales + column, mins + column, to + column, hasMin, offset);
    }
  }
  for (; row < rows; row++) {
    const from = x + row * stride;
    const to = sums + 64 * row;
    for (let column: usize = 0; column < 64; column += 32) {
      if (isDirect(bits)) signedTile1(quants + column, begin, end, from, columns, stride, scales + column, to + column);
      else tile1(quants + column, begin, end, from, columns, stride, scales + column, mins + column, to + column, isHalf, hasMin, offset);
    }
  }
}

// Functions of their own, as in row-variants.ts.
export function signedTile4(q: usize, b: u32, e: u32, x: usize, n: u32, d: usize, s: usize, t: usize): void { tile(true, 4, q, b, e, x, n, d, s, 0, t, false, false, 0); }
export function signedTile1(q: usize, b: u32, e: u32, x: usize, n: u32, d: usize, s: usize, t: usize): void { tile(true, 1, q, b, e, x, n, d, s, 0, t, false, false, 0); }
export function tile4(q: usize, b: u32, e: u32, x: usize, n: u32, d: usize, s: usize, m: usize, t: usize, hasMin: bool, offset: i32): void { tile(false, 4, q, b, e, x, n, d, s, m, t, false, hasMin, offset); }
export function tile4Halves(q: usize, b: u32, e: u32, x: usize, n: u32, d: usize, s: usize, m: usize, t: usize, hasMin: bool, offset: i32): void { tile(false, 4, q, b, e, x, n, d, s, m, t, true, hasMin, offset); }
export function tile1(q: usize, b: u32, e: u32, x: usize, n: u32, d: usize, s: usize, m: usize, t: usize, isHalf: bool, hasMin: bool, offset: i32): void { tile(false, 1, q, b, e, x, n, d, s, m, t, isHalf, hasMin, offset); }

/** 8 outputs of one row or four. */
// @ts-ignore: decorator
@inline
function tile(
  isSigned: bool,
  rows: u32,
  quants: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  stride: usize,
  scales: usize,
  mins: usize,
  sums: usize,
  isHalf: bool,
  hasMin: bool,
  offset: i32,
): void {
  const blocks = (end - begin) >> 5;
  let xScale = x + xQuantBytes(columns) + (begin >> 3);
  let xSum = x + xQuantBytes(columns) + (columns >> 3) + (begin >> 2);
  x += isSigned ? columns + 2 * begin : begin * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2);
  const minusSums = columns >> 2; // behind the sums
  let xMinus = xSum - (begin >> 2) + minusSums + (begin >> 3);
  const x2 = 2 * stride;
  const x3 = 3 * stride;
  const groups: u32 = isHalf ? 2 : 1;
  const steps: u32 = isHalf ? 4 : 8;
  for (let b: u32 = 0; b < blocks; b++) {
    for (let part: u32 = 0; part < groups; part++) {
      let a0 = i32x4.splat(first(isSigned, xMinus, xSum, part, isHalf, hasMin, offset));
      let a1 = a0;
      let b0 = a0;
      let b1 = a0;
      let c0 = a0;
      let c1 = a0;
      let d0 = a0;
      let d1 = a0;
      if (rows == 4) {
        b0 = i32x4.splat(first(isSigned, xMinus + stride, xSum + stride, part, isHalf, hasMin, offset));
        b1 = b0;
        c0 = i32x4.splat(first(isSigned, xMinus + x2, xSum + x2, part, isHalf, hasMin, offset));
        c1 = c0;
        d0 = i32x4.splat(first(isSigned, xMinus + x3, xSum + x3, part, isHalf, hasMin, offset));
        d1 = d0;
      }
      for (let i: u32 = 0; i < steps; i++) {
        const q0 = v128.load(quants);
        const q1 = v128.load(quants, 16);
        let even = v128.load32_splat(x);
        let odd = second(isSigned, x);
        a0 = both(isSigned, q0, even, odd, a0);
        a1 = both(isSigned, q1, even, odd, a1);
        if (rows == 4) {
          even = v128.load32_splat(x + stride);
          odd = second(isSigned, x + stride);
          b0 = both(isSigned, q0, even, odd, b0);
          b1 = both(isSigned, q1, even, odd, b1);
          even = v128.load32_splat(x + x2);
          odd = second(isSigned, x + x2);
          c0 = both(isSigned, q0, even, odd, c0);
          c1 = both(isSigned, q1, even, odd, c1);
          even = v128.load32_splat(x + x3);
          odd = second(isSigned, x + x3);
          d0 = both(isSigned, q0, even, odd, d0);
          d1 = both(isSigned, q1, even, odd, d1);
        }
        quants += 64;
        x += isSigned ? 8 : xStep();
      }
      finish(a0, scales, mins, sums, xSum, xScale, part, isHalf, hasMin);
      finish(a1, scales + 16, mins + 16, sums + 16, xSum, xScale, part, isHalf, hasMin);
      if (rows == 4) {
        finish(b0, scales, mins, sums + 64, xSum + stride, xScale + stride, part, isHalf, hasMin);
        finish(b1, scales + 16, mins + 16, sums + 80, xSum + stride, xScale + stride, part, isHalf, hasMin);
        finish(c0, scales, mins, sums + 128, xSum + x2, xScale + x2, part, isHalf, hasMin);
        finish(c1, scales + 16, mins + 16, sums + 144, xSum + x2, xScale + x2, part, isHalf, hasMin);
        finish(d0, scales, mins, sums + 192, xSum + x3, xScale + x3, part, isHalf, hasMin);
        finish(d1, scales + 16, mins + 16, sums + 208, xSum + x3, xScale + x3, part, isHalf, hasMin);
      }
      scales += 64;
      mins += 64;
    }
    xScale += 4;
    xSum += 8;
    xMinus += 4;
  }
}

// @ts-ignore: decorator
@inline
function sumOf(xSum: usize, part: u32, isHalf: bool): i32 {
  return isHalf ? load<i32>(xSum + 4 * part) : load<i32>(xSum) + load<i32>(xSum, 4);
}

// @ts-ignore: decorator
@inline
function first(isSigned: bool, xMinus: usize, xSum: usize, part: u32, isHalf: bool, hasMin: bool, offset: i32): i32 {
  if (isSigned) return load<i32>(xMinus);
  return hasMin ? 0 : -offset * sumOf(xSum, part, isHalf);
}

// @ts-ignore: decorator
@inline
function second(isSigned: bool, x: usize): v128 {
  return isSigned ? v128.load32_splat(x, 4) : xSecond(x);
}

/** Signed quants q times x = p - n, both of 7 bits: q · p + ~q · n = q · x - the sum of n, where the sum began. */
// @ts-ignore: decorator
@inline
function both(isSigned: bool, quants: v128, even: v128, odd: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (isSigned) {
      sum = i32x4.relaxed_dot_i8x16_i7x16_add_s(quants, even, sum);
      return i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.not(quants), odd, sum);
    }
  }
  return dot(quants, even, odd, sum);
}

/** The sum of a block's first group waits behind all sums for the second. */
// @ts-ignore: decorator
@inline
function finish(
  dots: v128,
  scales: usize,
  mins: usize,
  sums: usize,
  xSum: usize,
  xScale: usize,
  part: u32,
  isHalf: bool,
  hasMin: bool,
): void {
  let value = f32x4.mul(f32x4.convert_i32x4_s(dots), v128.load(scales));
  if (part == 1) value = f32x4.add(v128.load(sums + HALF_SUMS), value);
  if (hasMin) value = madd(v128.load(mins), splat(<f32>sumOf(xSum, part, isHalf)), value);
  if (isHalf && part == 0) v128.store(sums + HALF_SUMS, value);
  else v128.store(sums, madd(value, v128.load32_splat(xScale), v128.load(sums)));
}

const HALF_SUMS: usize = 4096; // distance of the sums of half a block from the sums
