// Packed weights, and reading them.
//
// A matrix [N, K] is a row of panels of 16 output rows (N is padded with rows of scale zero). A dense panel: element
// [k][16 rows] in its own type. A quantised one is read from front to back, once: a unit for each 32 columns, and with
// two-level scales a head before each 256.
//
// A unit's quants are vectors of 64 bytes, 16 rows × 4 consecutive k; vector i holds k = 4i .. 4i + 3.
//     8 bit: 8 vectors, signed
//     4 bit: 4 vectors; the low nibbles of vector j are the quants of vector 2j, the high ones of 2j + 1
//     5 bit: 4 bit, then a vector whose bit i of a byte is bit 4 of quant vector i
//     6 bit: 4 bit, then 2 vectors; bits 2(i % 4), 2(i % 4) + 1 of a byte of vector i / 4 are bits 4, 5 of vector i
// Behind them one-level scales: scale [16 rows], then min [16] where there are minimums, f16 (or f32); or, of two levels,
// sub-scales [32/G][16] of 8 bits, then sub-minimums [32/G][16] if there are any. A head: d [16] f16, then dmin [16] f16 if
// there are minimums; scale = d · sub-scale, min = -dmin · sub-minimum. Nothing is rounded.
import {
  SCALES_F32,
  SCALES_TWO_I8,
  SCALES_TWO_U8,
  W_BITS,
  W_GROUP,
  W_HAS_MIN,
  W_HEAD_BYTES,
  W_IS_IRREGULAR,
  W_PANEL_BYTES,
  W_PANELS,
  W_SCALE_KIND,
  W_UNIT_BYTES,
} from "../layout";
import { finiteHalves, halves, splat } from "./math";

export function panelOf(weight: usize, index: u32): usize {
  return load<usize>(weight + W_PANELS) + index * load<u32>(weight + W_PANEL_BYTES);
}

/** The unit of columns k .. k + 31. */
// @ts-ignore: decorator
@inline
export function unitOf(weight: usize, panel: usize, k: u32): usize {
  return panel + (k >> 5) * load<u32>(weight + W_UNIT_BYTES) + ((k >> 8) + 1) * load<u32>(weight + W_HEAD_BYTES);
}

/** The head in front of column k. */
// @ts-ignore: decorator
@inline
export function headOf(weight: usize, panel: usize, k: u32): usize {
  return unitOf(weight, panel, k & ~255) - load<u32>(weight + W_HEAD_BYTES);
}

/** Writes the scales of columns begin .. end, multiples of 32, as f32 [groups][16]; minimums too, where there are any. */
export function readScales(weight: usize, panel: usize, begin: u32, end: u32, scales: usize, mins: usize): void {
  const isHalf = load<u32>(weight + W_GROUP) == 16;
  const each: usize = isHalf ? 128 : 64;
  for (let k = begin; k < end; k += 32, scales += each, mins += each) {
    readUnitScales(weight, unitOf(weight, panel, k), headOf(weight, panel, k), scales, mins);
  }
}

/** Those of one unit. */
// @ts-ignore: decorator
@inline
export function readUnitScales(weight: usize, unit: usize, head: usize, scales: usize, mins: usize): void {
  const kind = load<u32>(weight + W_SCALE_KIND);
  const isRegular = load<u32>(weight + W_IS_IRREGULAR) == 0;
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const from = unit + 64 * load<u32>(weight + W_BITS);
  if (kind == SCALES_F32) {
    memory.copy(scales, from, 64);
  } else if (kind == SCALES_TWO_U8 || kind == SCALES_TWO_I8) {
    const groups: usize = load<u32>(weight + W_GROUP) == 16 ? 2 : 1;
    for (let quad: usize = 0; quad < 4; quad++) {
      const d = half4(isRegular, head + 8 * quad);
      for (let g: usize = 0; g < groups; g++) {
        const sub = v128.load32_zero(from + 16 * g + 4 * quad);
        v128.store(scales + 64 * g + 16 * quad, f32x4.mul(d, kind == SCALES_TWO_I8 ? signed4(sub) : unsigned4(sub)));
      }
      if (!hasMin) continue;
      const dmin = f32x4.mul(half4(isRegular, head + 32 + 8 * quad), splat(-1));
      for (let g: usize = 0; g < groups; g++) {
        const sub = v128.load32_zero(from + 16 * (groups + g) + 4 * quad);
        v128.store(mins + 64 * g + 16 * quad, f32x4.mul(dmin, unsigned4(sub)));
      }
    }
  } else {
    for (let quad: usize = 0; quad < 4; quad++) {
      v128.store(scales + 16 * quad, half4(isRegular, from + 8 * quad));
      if (hasMin) v128.store(mins + 16 * quad, half4(isRegular, from + 32 + 8 * quad));
    }
  }
}

// @ts-ignore: decorator
@inline
function half4(isRegular: bool, from: usize): v128 {
  return isRegular ? finiteHalves(v128.load_ext<i16>(from)) : halves(v128.load_ext<u16>(from));
}

// @ts-ignore: decorator
@inline
function signed4(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes)));
}

// @ts-ignore: decorator
@inline
function unsigned4(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
}

// @ts-ignore: decorator
@inline
function highBits(plane: v128, mask: i8, shift: i32): v128 {
  return i16x8.shl(v128.and(plane, i8x16.splat(mask)), shift);
}

/** Writes the quants of columns begin .. end, multiples of 32, one per byte and unsigned: [k / 4][16 rows][4]. */
export function readQuants(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  const bits = load<u32>(weight + W_BITS);
  for (let k = begin; k < end; k += 32, out += 512) {
    const from = unitOf(weight, panel, k);
    if (bits == 8) {
      for (let i: usize = 0; i < 512; i += 16) v128.store(out + i, v128.xor(v128.load(from + i), i8x16.splat(-128)));
      continue;
    }
    for (let quad: usize = 0; quad < 64; quad += 16) readQuad(bits, from + quad, out + quad);
  }
}
/** Four rows of 32 columns of 4, 5 or 6 bits. */
function readQuad(bits: u32, from: usize, out: usize): void {
  let plane = bits == 4 ? i8x16.splat(0) : v128.load(from, 256);
  for (let j: usize = 0; j < 4; j++) {
    const pair = v128.load(from + 64 * j);
    let low = v128.and(pair, i8x16.splat(15));
    let high = i8x16.shr_u(pair, 4);
    if (bits == 5) {
      low = v128.or(low, highBits(plane, 1, 4));
      high = v128.or(high, highBits(plane, 2, 3));
      plane = i16x8.shr_u(plane, 2);
    } else if (bits == 6) {
      if (j == 2) plane = v128.load(from, 320);
      low = v128.or(low, highBits(plane, 3, 4));
      high = v128.or(high, highBits(plane, 12, 2));
      plane = i16x8.shr_u(plane, 4);
    }
    v128.store(out + 128 * j, low);
    v128.store(out + 128 * j, high, 64);
  }
}
