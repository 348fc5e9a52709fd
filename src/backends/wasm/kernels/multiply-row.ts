// A quantised panel times one row: quants are unpacked in registers.
import {
  NARROW,
  SCALES_F16,
  W_BITS,
  W_GROUP,
  W_HAS_MIN,
  W_HEAD_BYTES,
  W_IS_IRREGULAR,
  W_OFFSET,
  W_SCALE_KIND,
  W_UNIT_BYTES,
} from "../layout";
import { dot, joinSums, narrowDot, xFirst, xSecond, xStep } from "./dot";
import { finiteHalves, madd, splat } from "./math";
import { quantBytes } from "./prepare-x";
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
    if (isPlain) bytes(true, weight, panel, begin, end, x, columns, space, sums);
    else bytes(false, weight, panel, begin, end, x, columns, space, sums);
  } else if (ASC_FEATURE_RELAXED_SIMD && load<u32>(NARROW) != 0) {
    if (bits == 4 && isPlain) plain(4, true, weight, panel, begin, end, x, columns, sums);
    else if (bits == 4) nibbles(4, true, weight, panel, begin, end, x, columns, space, sums);
    else if (bits == 5 && isPlain) plain(5, true, weight, panel, begin, end, x, columns, sums);
    else if (bits == 5) nibbles(5, true, weight, panel, begin, end, x, columns, space, sums);
    else nibbles(6, true, weight, panel, begin, end, x, columns, space, sums);
  } else {
    if (bits == 4 && isPlain) plain(4, false, weight, panel, begin, end, x, columns, sums);
    else if (bits == 4) nibbles(4, false, weight, panel, begin, end, x, columns, space, sums);
    else if (bits == 5 && isPlain) plain(5, false, weight, panel, begin, end, x, columns, sums);
    else if (bits == 5) nibbles(5, false, weight, panel, begin, end, x, columns, space, sums);
    else nibbles(6, false, weight, panel, begin, end, x, columns, space, sums);
  }
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
  const nibble = v128.and(i16x8.shr_u(pair, 4), i8x16.splat(15));
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
function add(isNarrow: bool, quants: v128, first: v128, second: v128, sum: v128): v128 {
  return isNarrow ? narrowDot(quants, first, sum) : dot(quants, first, second, sum);
}

/** 4- or 5-bit quants with f16 scales of 32 columns, none of which is infinite or no number. */
// @ts-ignore: decorator
@inline
function plain(
  bits: i32,
  isNarrow: bool,
  weight: usize,
  panel: usize,
  begin: u32,
  end: u32,
  x: usize,
  columns: u32,
  sums: usize,
): void {
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const offset = load<i32>(weight + W_OFFSET);
  let unit = unitOf(weight, panel, begin);
  let xScales = x + quantBytes(columns) + (begin >> 3);
  let xSums = x + quantBytes(columns) + (columns >> 3) + (begin >> 2);
  x += begin * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2);
  let t0 = v128.load(sums);
  let t1 = v128.load(sums, 16);
  let t2 = v128.load(sums, 32);
  let t3 = v128.load(sums, 48);
  for (let k = begin; k < end; k += 32) {
    const sum = load<i32>(xSums) + load<i32>(xSums, 4);
    let d0 = i32x4.splat(hasMin ? 0 : -offset * sum);
    let d1 = d0;
    let d2 = d0;
    let d3 = d0;
    let p0 = i32x4.splat(0);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    if (bits == 5) {
      p0 = v128.load(unit, 256);
      p1 = v128.load(unit, 272);
      p2 = v128.load(unit, 288);
      p3 = v128.load(unit, 304);
    }
    let quants = unit;
    // 16 bits hold the sums of eight 4-bit vectors, or of four 5-bit ones.
    const parts: u32 = isNarrow && bits == 5 ? 2 : 1;
    for (let part: u32 = 0; part < parts; part++) {
      let n0 = i32x4.splat(0);
      let n1 = n0;
      let n2 = n0;
      let n3 = n0;
      for (let j: u32 = 0; j < 4 / parts; j++) {
        const q0 = v128.load(quants);
        const q1 = v128.load(quants, 16);
        const q2 = v128.load(quants, 32);
        const q3 = v128.load(quants, 48);
        let first = xFirst(x);
        let second = xSecond(x);
        n0 = add(isNarrow, low(bits, q0, p0), first, second, n0);
        n1 = add(isNarrow, low(bits, q1, p1), first, second, n1);
        n2 = add(isNarrow, low(bits, q2, p2), first, second, n2);
        n3 = add(isNarrow, low(bits, q3, p3), first, second, n3);
        first = xFirst(x + xStep());
        second = xSecond(x + xStep());
        n0 = add(isNarrow, high(bits, q0, p0), first, second, n0);
        n1 = add(isNarrow, high(bits, q1, p1), first, second, n1);
        n2 = add(isNarrow, high(bits, q2, p2), first, second, n2);
        n3 = add(isNarrow, high(bits, q3, p3), first, second, n3);
        p0 = next(bits, p0);
        p1 = next(bits, p1);
        p2 = next(bits, p2);
        p3 = next(bits, p3);
        quants += 64;
        x += 2 * xStep();
      }
      d0 = joinSums(isNarrow, d0, n0);
      d1 = joinSums(isNarrow, d1, n1);
      d2 = joinSums(isNarrow, d2, n2);
      d3 = joinSums(isNarrow, d3, n3);
    }
    const at = unit + 64 * bits;
    let f0 = f32x4.mul(f32x4.convert_i32x4_s(d0), factors(true, at, 0));
    let f1 = f32x4.mul(f32x4.convert_i32x4_s(d1), factors(true, at, 1));
    let f2 = f32x4.mul(f32x4.convert_i32x4_s(d2), factors(true, at, 2));
    let f3 = f32x4.mul(f32x4.convert_i32x4_s(d3), factors(true, at, 3));
    if (hasMin) {
      const each = splat(<f32>sum);
      f0 = madd(factors(true, at + 32, 0), each, f0);
      f1 = madd(factors(true, at + 32, 1), each, f1);
      f2 = madd(factors(true, at + 32, 2), each, f2);
      f3 = madd(factors(true, at + 32, 3), each, f3);
    }
    const scale = v128.load32_splat(xScales);
    t0 = madd(f0, scale, t0);
    t1 = madd(f1, scale, t1);
    t2 = madd(f2, scale, t2);
    t3 = madd(f3, scale, t3);
    xScales += 4;
    xSums += 8;
    unit += unitBytes;
  }
  v128.store(sums, t0);
  v128.store(sums, t1, 16);
  v128.store(sums, t2, 32);
  v128.store(sums, t3, 48);
}

// @ts-ignore: decorator
@inline
function nibbles(
  bits: i32,
  isNarrow: bool,
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
  const isHalf = load<u32>(weight + W_GROUP) == 16;
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const offset = load<i32>(weight + W_OFFSET);
  const mins = scales + 128;
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
    readUnitScales(weight, unit, head, scales, mins);
    let p0 = i32x4.splat(0);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    if (bits > 4) {
      p0 = v128.load(unit, 256);
      p1 = v128.load(unit, 272);
      p2 = v128.load(unit, 288);
      p3 = v128.load(unit, 304);
    }
    let f0 = splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    let quants = unit;
    for (let part: u32 = 0; part < 2; part++) {
      const sum = isHalf ? load<i32>(xSums + 4 * part) : load<i32>(xSums) + load<i32>(xSums, 4);
      const start = i32x4.splat(hasMin ? 0 : -offset * sum);
      let d0 = start;
      let d1 = start;
      let d2 = start;
      let d3 = start;
      // Of 16 bits: 4-bit quants of a whole group, 5-bit ones of four vectors, 6-bit ones of two.
      let n0 = i32x4.splat(0);
      let n1 = n0;
      let n2 = n0;
      let n3 = n0;
      const pairs: u32 = isHalf ? 2 : 4;
      for (let j: u32 = 0; j < pairs; j++) {
        const q0 = v128.load(quants);
        const q1 = v128.load(quants, 16);
        const q2 = v128.load(quants, 32);
        const q3 = v128.load(quants, 48);
        let first = xFirst(x);
        let second = xSecond(x);
        n0 = add(isNarrow, low(bits, q0, p0), first, second, n0);
        n1 = add(isNarrow, low(bits, q1, p1), first, second, n1);
        n2 = add(isNarrow, low(bits, q2, p2), first, second, n2);
        n3 = add(isNarrow, low(bits, q3, p3), first, second, n3);
        first = xFirst(x + xStep());
        second = xSecond(x + xStep());
        n0 = add(isNarrow, high(bits, q0, p0), first, second, n0);
        n1 = add(isNarrow, high(bits, q1, p1), first, second, n1);
        n2 = add(isNarrow, high(bits, q2, p2), first, second, n2);
        n3 = add(isNarrow, high(bits, q3, p3), first, second, n3);
        p0 = next(bits, p0);
        p1 = next(bits, p1);
        p2 = next(bits, p2);
        p3 = next(bits, p3);
        quants += 64;
        x += 2 * xStep();
        if (isNarrow && (bits == 6 || (bits == 5 && (j & 1) == 1))) {
          d0 = joinSums(true, d0, n0);
          d1 = joinSums(true, d1, n1);
          d2 = joinSums(true, d2, n2);
          d3 = joinSums(true, d3, n3);
          n0 = i32x4.splat(0);
          n1 = n0;
          n2 = n0;
          n3 = n0;
        }
      }
      if (!isNarrow || bits == 4) {
        d0 = joinSums(isNarrow, d0, n0);
        d1 = joinSums(isNarrow, d1, n1);
        d2 = joinSums(isNarrow, d2, n2);
        d3 = joinSums(isNarrow, d3, n3);
      }
      const at = scales + 64 * part;
      const s0 = f32x4.mul(f32x4.convert_i32x4_s(d0), v128.load(at));
      const s1 = f32x4.mul(f32x4.convert_i32x4_s(d1), v128.load(at, 16));
      const s2 = f32x4.mul(f32x4.convert_i32x4_s(d2), v128.load(at, 32));
      const s3 = f32x4.mul(f32x4.convert_i32x4_s(d3), v128.load(at, 48));
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
        const min = mins + 64 * part;
        f0 = madd(v128.load(min), each, f0);
        f1 = madd(v128.load(min, 16), each, f1);
        f2 = madd(v128.load(min, 32), each, f2);
        f3 = madd(v128.load(min, 48), each, f3);
      }
      if (!isHalf) break;
      if (bits == 6 && part == 0) {
        p0 = v128.load(unit, 320);
        p1 = v128.load(unit, 336);
        p2 = v128.load(unit, 352);
        p3 = v128.load(unit, 368);
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
    if (((k + 32) & 255) == 0) {
      head = unit;
      unit += headBytes;
    }
  }
  v128.store(sums, t0);
  v128.store(sums, t1, 16);
  v128.store(sums, t2, 32);
  v128.store(sums, t3, 48);
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
