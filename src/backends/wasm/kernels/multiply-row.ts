// A quantised panel times one row: quants are unpacked in registers.
import {
  NARROW,
  SCALES_F16,
  W_BITS,
  W_GROUP,
  W_HAS_MIN,
  W_HEAD_BYTES,
  W_IS_IRREGULAR,
  W_LOW,
  W_OFFSET,
  W_SCALE_KIND,
  W_UNIT_BYTES,
} from "../layout";
import { dot, joinSums, narrowDot, xFirst, xSecond, xStep } from "./dot";
import { finiteHalves, madd, splat } from "./math";
import { quantBytes } from "./prepare-x";
import { multiplySplit } from "./multiply-split";
import { headOf, readUnitScales, unitOf } from "./scales";

/**
 * Adds columns begin .. end of a panel times a prepared row to sums [16]: exact integer sums of a group, then in ascending
 * order one multiplication with its scale, an addition of its minimum, and one multiplication per block of 32.
 * @param space 256 bytes
 */
export function multiplyRow(
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  space: usize,
  sums: usize,
): void {
  const bits = load<u32>(weight + W_BITS);
  const isPlain = load<u32>(weight + W_SCALE_KIND) == SCALES_F16 && load<u32>(weight + W_IS_IRREGULAR) == 0;
  if (bits == 8) {
    if (load<usize>(weight + W_LOW) != 0) multiplySplit(weight, panel, begin, end, x, columns, space, sums);
    else if (isPlain) bytes(true, weight, panel, begin, end, x, columns, space, sums);
    else bytes(false, weight, panel, begin, end, x, columns, space, sums);
  } else if (ASC_FEATURE_RELAXED_SIMD && load<u32>(NARROW) != 0) {
    if (bits == 4) unsigned(4, true, isPlain, weight, panel, begin, end, x, columns, space, sums);
    else unsigned(7, true, isPlain, weight, panel, begin, end, x, columns, space, sums);
  } else {
    if (bits == 4) unsigned(4, false, isPlain, weight, panel, begin, end, x, columns, space, sums);
    else unsigned(7, false, isPlain, weight, panel, begin, end, x, columns, space, sums);
  }
}

// @ts-ignore: decorator
@inline
function unsigned(
  bits: u32,
  isNarrow: bool,
  isPlain: bool,
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  space: usize,
  sums: usize,
): void {
  if (isPlain) groups(bits, isNarrow, true, false, weight, panel, begin, end, x, columns, space, sums);
  else if (load<u32>(weight + W_GROUP) == 32)
    groups(bits, isNarrow, false, false, weight, panel, begin, end, x, columns, space, sums);
  else groups(bits, isNarrow, false, true, weight, panel, begin, end, x, columns, space, sums);
}

/**
 * Of 4 or 7 bits. isNarrow: sums of 16 bits, which hold what eight 4-bit vectors give, four of 5 bits, or two of 6.
 * isPlain: scales are f16, none of them infinite or no number. isHalf: a group has 16 columns.
 */
// @ts-ignore: decorator
@inline
function groups(
  bits: u32,
  isNarrow: bool,
  isPlain: bool,
  isHalf: bool,
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  space: usize,
  sums: usize,
): void {
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  const headBytes = load<u32>(weight + W_HEAD_BYTES);
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const offset = load<i32>(weight + W_OFFSET);
  let unit = unitOf(weight, panel, begin);
  let head = headOf(weight, panel, begin);
  let xScales = x + quantBytes(columns) + (begin >> 3);
  let xSums = x + quantBytes(columns) + (columns >> 3) + (begin >> 2);
  x += begin * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2);
  let t0 = v128.load(sums);
  let t1 = v128.load(sums, 16);
  let t2 = v128.load(sums, 32);
  let t3 = v128.load(sums, 48);
  for (let k = begin; k < end; k += 32) {
    if (!isPlain) readUnitScales(weight, unit, head, space, space + 128);
    let f0 = splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    let quants = unit;
    for (let part: u32 = 0; part < <u32>(isHalf ? 2 : 1); part++) {
      const sum = isHalf ? load<i32>(xSums + 4 * part) : load<i32>(xSums) + load<i32>(xSums, 4);
      let d0 = i32x4.splat(hasMin ? 0 : -offset * sum);
      let d1 = d0;
      let d2 = d0;
      let d3 = d0;
      // Vectors of a group, and of these so many that 16 bits hold their sums. 6 bits have groups of 16 columns, 5 bits of 32.
      const chunks: u32 = isNarrow && bits == 7 ? 2 : 1;
      const pairs: u32 = (isHalf ? 2 : 4) / chunks;
      for (let chunk: u32 = 0; chunk < chunks; chunk++) {
        let n0 = i32x4.splat(0);
        let n1 = n0;
        let n2 = n0;
        let n3 = n0;
        for (let j: u32 = 0; j < pairs; j++) {
          let q0 = v128.load(quants);
          let q1 = v128.load(quants, 16);
          let q2 = v128.load(quants, 32);
          let q3 = v128.load(quants, 48);
          let first = xFirst(x);
          let second = xSecond(x);
          n0 = add(isNarrow, low(bits, q0), first, second, n0);
          n1 = add(isNarrow, low(bits, q1), first, second, n1);
          n2 = add(isNarrow, low(bits, q2), first, second, n2);
          n3 = add(isNarrow, low(bits, q3), first, second, n3);
          if (bits == 7) {
            quants += 64;
            q0 = v128.load(quants);
            q1 = v128.load(quants, 16);
            q2 = v128.load(quants, 32);
            q3 = v128.load(quants, 48);
          }
          first = xFirst(x + xStep());
          second = xSecond(x + xStep());
          n0 = add(isNarrow, high(bits, q0), first, second, n0);
          n1 = add(isNarrow, high(bits, q1), first, second, n1);
          n2 = add(isNarrow, high(bits, q2), first, second, n2);
          n3 = add(isNarrow, high(bits, q3), first, second, n3);
          quants += 64;
          x += 2 * xStep();
        }
        d0 = joinSums(isNarrow, d0, n0);
        d1 = joinSums(isNarrow, d1, n1);
        d2 = joinSums(isNarrow, d2, n2);
        d3 = joinSums(isNarrow, d3, n3);
      }
      const at = isPlain ? unit + (bits == 4 ? 256 : 512) : space + 64 * part;
      f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(d0), factors(isPlain, at, 0)));
      f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(d1), factors(isPlain, at, 1)));
      f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(d2), factors(isPlain, at, 2)));
      f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(d3), factors(isPlain, at, 3)));
      if (hasMin) {
        const each = splat(<f32>sum);
        const mins = isPlain ? at + 32 : at + 128;
        f0 = madd(factors(isPlain, mins, 0), each, f0);
        f1 = madd(factors(isPlain, mins, 1), each, f1);
        f2 = madd(factors(isPlain, mins, 2), each, f2);
        f3 = madd(factors(isPlain, mins, 3), each, f3);
      }
    }
    const scale = v128.load32_splat(xScales);
    t0 = madd(f0, scale, t0);
    t1 = madd(f1, scale, t1);
    t2 = madd(f2, scale, t2);
    t3 = madd(f3, scale, t3);
    xScales += 4;
    xSums += 8;
    unit += unitBytes;
    if (!isPlain && ((k + 32) & 255) == 0) {
      head = unit;
      unit += headBytes;
    }
  }
  v128.store(sums, t0);
  v128.store(sums, t1, 16);
  v128.store(sums, t2, 32);
  v128.store(sums, t3, 48);
}

// @ts-ignore: decorator
@inline
function low(bits: u32, quants: v128): v128 {
  return bits == 7 ? quants : v128.and(quants, i8x16.splat(15));
}

// @ts-ignore: decorator
@inline
function high(bits: u32, quants: v128): v128 {
  return bits == 7 ? quants : v128.and(i16x8.shr_u(quants, 4), i8x16.splat(15));
}

// @ts-ignore: decorator
@inline
function add(isNarrow: bool, quants: v128, first: v128, second: v128, sum: v128): v128 {
  return isNarrow ? narrowDot(quants, first, sum) : dot(quants, first, second, sum);
}

/** Scales, or minimums, of four rows: f16 where they are plain, else floats. */
// @ts-ignore: decorator
@inline
function factors(isPlain: bool, from: usize, quad: usize): v128 {
  return isPlain ? finiteHalves(v128.load_ext<i16>(from + 8 * quad)) : v128.load(from + 16 * quad);
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

// @ts-ignore: decorator
@inline
function bytes(
  isPlain: bool,
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  scales: usize,
  sums: usize,
): void {
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  const headBytes = load<u32>(weight + W_HEAD_BYTES);
  let unit = unitOf(weight, panel, begin);
  let head = headOf(weight, panel, begin);
  let xScales = x + quantBytes(columns) + (begin >> 3);
  x += (ASC_FEATURE_RELAXED_SIMD ? columns : 0) + 2 * begin;
  let t0 = v128.load(sums);
  let t1 = v128.load(sums, 16);
  let t2 = v128.load(sums, 32);
  let t3 = v128.load(sums, 48);
  for (let k = begin; k < end; k += 32) {
    if (!isPlain) readUnitScales(weight, unit, head, scales, scales + 128);
    let d0 = i32x4.splat(0);
    let d1 = d0;
    let d2 = d0;
    let d3 = d0;
    let e0 = d0;
    let e1 = d0;
    let e2 = d0;
    let e3 = d0;
    let quants = unit;
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
    const at = isPlain ? unit + 512 : scales;
    t0 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d0, e0)), factors(isPlain, at, 0)), scale, t0);
    t1 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d1, e1)), factors(isPlain, at, 1)), scale, t1);
    t2 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d2, e2)), factors(isPlain, at, 2)), scale, t2);
    t3 = madd(f32x4.mul(f32x4.convert_i32x4_s(join(d3, e3)), factors(isPlain, at, 3)), scale, t3);
    xScales += 4;
    unit += unitBytes;
    if (!isPlain && ((k + 32) & 255) == 0) {
      head = unit;
      unit += headBytes;
    }
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
