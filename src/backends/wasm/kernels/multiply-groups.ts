// Unsigned quants of 4 or 7 bits times one row.
import { W_HAS_MIN, W_HEAD_BYTES, W_OFFSET, W_UNIT_BYTES } from "../layout";
import { addDot, whole, xFirst, xSecond, xStep } from "./dot";
import { finiteHalves, madd, splat } from "./math";
import { xQuantBytes } from "./prepare-x";
import { headOf, unitOf } from "./scales";

/**
 * isNarrow: sums of 16 bits, which hold what eight 4-bit vectors give, four of 5 bits, or two of 6. isPlain: scales are f16,
 * else of two levels. isHalf: a group has 16 columns. No scale is infinite or no number.
 * @param space 128 bytes, for a head's factors
 */
// @ts-ignore: decorator
@inline
export function multiplyGroups(
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
  if (!isPlain) readHead(headOf(weight, panel, begin), hasMin, space);
  let xScales = x + xQuantBytes(columns) + (begin >> 3);
  let xSums = x + xQuantBytes(columns) + (columns >> 3) + (begin >> 2);
  x += begin * (ASC_FEATURE_RELAXED_SIMD ? 1 : 2);
  let t0 = v128.load(sums);
  let t1 = v128.load(sums, 16);
  let t2 = v128.load(sums, 32);
  let t3 = v128.load(sums, 48);
  for (let k = begin; k < end; k += 32) {
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
          n0 = addDot(isNarrow, low(bits, q0), first, second, n0);
          n1 = addDot(isNarrow, low(bits, q1), first, second, n1);
          n2 = addDot(isNarrow, low(bits, q2), first, second, n2);
          n3 = addDot(isNarrow, low(bits, q3), first, second, n3);
          if (bits == 7) {
            quants += 64;
            q0 = v128.load(quants);
            q1 = v128.load(quants, 16);
            q2 = v128.load(quants, 32);
            q3 = v128.load(quants, 48);
          }
          first = xFirst(x + xStep());
          second = xSecond(x + xStep());
          n0 = addDot(isNarrow, high(bits, q0), first, second, n0);
          n1 = addDot(isNarrow, high(bits, q1), first, second, n1);
          n2 = addDot(isNarrow, high(bits, q2), first, second, n2);
          n3 = addDot(isNarrow, high(bits, q3), first, second, n3);
          quants += 64;
          x += 2 * xStep();
        }
        d0 = i32x4.add(d0, whole(isNarrow, n0));
        d1 = i32x4.add(d1, whole(isNarrow, n1));
        d2 = i32x4.add(d2, whole(isNarrow, n2));
        d3 = i32x4.add(d3, whole(isNarrow, n3));
      }
      const at = unit + (bits == 4 ? 256 : 512) + (isPlain ? 0 : 16 * part);
      f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(d0), scale4(isPlain, at, 0, space)));
      f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(d1), scale4(isPlain, at, 1, space)));
      f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(d2), scale4(isPlain, at, 2, space)));
      f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(d3), scale4(isPlain, at, 3, space)));
      if (hasMin) {
        const each = splat(<f32>sum);
        const mins = at + (isPlain || isHalf ? 32 : 16);
        f0 = madd(scale4(isPlain, mins, 0, space + 64), each, f0);
        f1 = madd(scale4(isPlain, mins, 1, space + 64), each, f1);
        f2 = madd(scale4(isPlain, mins, 2, space + 64), each, f2);
        f3 = madd(scale4(isPlain, mins, 3, space + 64), each, f3);
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
    if (!isPlain && ((k + 32) & 255) == 0 && k + 32 < end) {
      readHead(unit, hasMin, space);
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

/** A head's d, and dmin negated, as floats [16] each. */
function readHead(head: usize, hasMin: bool, to: usize): void {
  for (let quad: usize = 0; quad < 4; quad++) {
    v128.store(to + 16 * quad, finiteHalves(v128.load_ext<i16>(head + 8 * quad)));
    if (!hasMin) continue;
    const dmin = finiteHalves(v128.load_ext<i16>(head + 32 + 8 * quad));
    v128.store(to + 64 + 16 * quad, f32x4.mul(dmin, splat(-1)));
  }
}

/** Scales, or minimums, of four rows: f16, or sub-scales (all below 128) and their factors. */
// @ts-ignore: decorator
@inline
function scale4(isPlain: bool, from: usize, quad: usize, heads: usize): v128 {
  if (isPlain) return finiteHalves(v128.load_ext<i16>(from + 8 * quad));
  const subs = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(from + 4 * quad)));
  return f32x4.mul(v128.load(heads + 16 * quad), f32x4.convert_i32x4_s(subs));
}
