// Packed weights, and reading them.
//
// A matrix [N, K] is a row of panels of 16 output rows (N is padded with rows of scale zero). A dense panel: element
// [k][16 rows] in its own type. A quantised one is read from front to back, once: a unit for each 32 columns, and with
// two-level scales a head before each 256.
//
// A unit's quants are vectors of 64 bytes, 16 rows × 4 consecutive k; vector i holds k = 4i .. 4i + 3.
//     8 bit: 8 vectors, signed
//     7 bit: 8 vectors, unsigned, of formats with 5 or 6 bits: to put those together takes longer than to read the bytes
//     4 bit: 4 vectors; the low nibbles of vector j are the quants of vector 2j, the high ones of 2j + 1
// Behind them one-level scales: scale [16 rows], then min [16] where there are minimums, f16 (or f32); or, of two levels,
// sub-scales [32/G][16] of 8 bits, then sub-minimums [32/G][16] if there are any. A head: d [16] f16, then dmin [16] f16 if
// there are minimums; scale = d · sub-scale, min = -dmin · sub-minimum. Nothing is rounded.
//
// An 8-bit matrix that is screened is split: units have the upper halves of its bytes (unsigned: the quant plus 128), like
// those of 4 bits; the lower halves, alike, are behind all panels. A panel then ends with norm [16] f32: the largest length,
// over a row's units, of the vector of its lower halves less 7.5, at least LEAST_NORM.
import {
  PANEL_ROWS,
  SCALES_F32,
  SCALES_TWO_I8,
  SCALES_TWO_U8,
  W_BITS,
  W_COLUMNS,
  W_GROUP,
  W_HAS_MIN,
  W_HEAD_BYTES,
  W_IS_IRREGULAR,
  W_LOW,
  W_PANEL_BYTES,
  W_PANELS,
  W_QUANT_BYTES,
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

/** The lower halves of columns k .. k + 31 of a split panel. */
// @ts-ignore: decorator
@inline
export function lowOf(weight: usize, panel: usize, k: u32): usize {
  const index = (panel - load<usize>(weight + W_PANELS)) / load<u32>(weight + W_PANEL_BYTES);
  return load<usize>(weight + W_LOW) + 8 * (index * load<u32>(weight + W_COLUMNS) + k);
}

/** The norms of a split panel's rows. */
// @ts-ignore: decorator
@inline
export function normsOf(weight: usize, panel: usize): usize {
  return panel + load<u32>(weight + W_PANEL_BYTES) - 4 * PANEL_ROWS;
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
  const from = unit + load<u32>(weight + W_QUANT_BYTES);
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

/** Writes the quants of columns begin .. end, multiples of 32, one per byte and unsigned: [k / 4][16 rows][4]. */
export function readQuants(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  const bits = load<u32>(weight + W_BITS);
  for (let k = begin; k < end; k += 32, out += 512) {
    const from = unitOf(weight, panel, k);
    if (bits == 7) memory.copy(out, from, 512);
    else if (bits == 8) readBytes(weight, panel, k, i8x16.splat(-128), out);
    else {
      for (let i: usize = 0; i < 256; i += 64) {
        for (let quad: usize = 0; quad < 64; quad += 16) {
          const pair = v128.load(from + i + quad);
          v128.store(out + 2 * i + quad, v128.and(pair, i8x16.splat(15)));
          v128.store(out + 2 * i + quad, v128.and(i16x8.shr_u(pair, 4), i8x16.splat(15)), 64);
        }
      }
    }
  }
}

/** 8-bit quants of columns k .. k + 31, each with `flipped` bits: as they are, signed, with none. */
export function readBytes(weight: usize, panel: usize, k: u32, flipped: v128, out: usize): void {
  const from = unitOf(weight, panel, k);
  if (load<usize>(weight + W_LOW) == 0) {
    for (let i: usize = 0; i < 512; i += 16) v128.store(out + i, v128.xor(v128.load(from + i), flipped));
    return;
  }
  const low = lowOf(weight, panel, k);
  const sign = v128.xor(flipped, i8x16.splat(-128)); // halves are of unsigned bytes
  const mask = i8x16.splat(15);
  for (let i: usize = 0; i < 256; i += 64) {
    for (let quad: usize = 0; quad < 64; quad += 16) {
      const upper = v128.load(from + i + quad);
      const lower = v128.load(low + i + quad);
      const even = v128.or(i16x8.shl(v128.and(upper, mask), 4), v128.and(lower, mask));
      const odd = v128.or(v128.andnot(upper, mask), v128.and(i16x8.shr_u(lower, 4), mask));
      v128.store(out + 2 * i + quad, v128.xor(even, sign));
      v128.store(out + 2 * i + quad, v128.xor(odd, sign), 64);
    }
  }
}
