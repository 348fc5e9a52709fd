// Signed 8-bit quants times one row.
import { W_HEAD_BYTES, W_UNIT_BYTES } from "../layout";
import { finiteHalves, madd } from "./math";
import { xQuantBytes } from "./prepare-x";
import { headOf, readUnitScales, unitOf } from "./scales";

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
export function multiplyBytes(
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
  let xScales = x + xQuantBytes(columns) + (begin >> 3);
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

/** Scales of four rows: f16 where they are plain, else floats. */
// @ts-ignore: decorator
@inline
function factors(isPlain: bool, from: usize, quad: usize): v128 {
  return isPlain ? finiteHalves(v128.load_ext<i16>(from + 8 * quad)) : v128.load(from + 16 * quad);
}
