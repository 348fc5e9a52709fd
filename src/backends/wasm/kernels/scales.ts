// Packed weights, and reading their scales.
//
// A matrix [N, K] is a row of panels of 16 output rows (N is padded with rows of scale zero). A dense panel: element
// [k][16 rows] in its own type. A quantised one: the quants of all columns, then the scales of all.
//
// Quants of 32 columns are vectors of 64 bytes, 16 rows × 4 consecutive k; vector i holds k = 4i .. 4i + 3.
//     8 bit: 8 vectors, signed
//     4 bit: 4 vectors; the low nibbles of vector j are the quants of vector 2j, the high ones of 2j + 1
//     5 bit: 4 bit, then a vector whose bit i of a byte is bit 4 of quant vector i
//     6 bit: 4 bit, then 2 vectors; bits 2(i % 4), 2(i % 4) + 1 of a byte of vector i / 4 are bits 4, 5 of vector i
// One-level scales: scale [K/32][16 rows], then min [K/32][16] where there are minimums, all f16 (or f32).
// Two-level scales: d [K/256][16] f16, dmin [K/256][16] f16 if there are minimums, sub-scales [K/G][16] of 8 bits,
// sub-minimums [K/G][16] if there are any; scale = d · sub-scale, min = -dmin · sub-minimum. Nothing is rounded.
import {
  SCALES_F16,
  SCALES_F32,
  SCALES_TWO_U8,
  W_BITS,
  W_COLUMNS,
  W_GROUP,
  W_HAS_MIN,
  W_PANEL_BYTES,
  W_PANELS,
  W_SCALE_KIND,
  W_SCALES,
} from "../layout";
import { halves, splat } from "./math";

export function panelOf(weight: usize, index: u32): usize {
  return load<usize>(weight + W_PANELS) + index * load<u32>(weight + W_PANEL_BYTES);
}

/** Bytes of the quants of `columns` columns. */
// @ts-ignore: decorator
@inline
export function quantBytesOf(bits: u32, columns: u32): usize {
  return 2 * bits * columns;
}

/** Writes the scales of columns begin .. end, multiples of 32, as f32 [groups][16]; minimums too, where there are any. */
export function readScales(weight: usize, panel: usize, begin: u32, end: u32, scales: usize, mins: usize): void {
  const kind = load<u32>(weight + W_SCALE_KIND);
  const columns = load<u32>(weight + W_COLUMNS);
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const base = panel + load<u32>(weight + W_SCALES);
  if (kind == SCALES_F32) {
    memory.copy(scales, base + begin * 2, (end - begin) * 2); // 16 scales of 4 bytes each 32 columns
    return;
  }
  if (kind == SCALES_F16) {
    readHalves(base + begin, end - begin, scales);
    if (hasMin) readHalves(base + columns + begin, end - begin, mins);
    return;
  }
  const group = load<u32>(weight + W_GROUP);
  const blocks = columns >> 8;
  const subs = base + 32 * (hasMin ? 2 * blocks : blocks);
  const isSigned = kind != SCALES_TWO_U8;
  const first = begin / group;
  const last = end / group;
  for (let quad: usize = 0; quad < 4; quad++) {
    for (let g = first; g < last; g++) {
      const block = (g * group) >> 8;
      const d = halves(v128.load_ext<u16>(base + 32 * block + 8 * quad));
      const sub = v128.load32_zero(subs + 16 * g + 4 * quad);
      const wide = isSigned
        ? i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(sub))
        : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(sub));
      v128.store(scales + 64 * (g - first) + 16 * quad, f32x4.mul(d, f32x4.convert_i32x4_s(wide)));
      if (!hasMin) continue;
      const dmin = halves(v128.load_ext<u16>(base + 32 * (blocks + block) + 8 * quad));
      const submin = v128.load32_zero(subs + 16 * (columns / group + g) + 4 * quad);
      const wideMin = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(submin));
      const min = f32x4.mul(f32x4.mul(dmin, splat(-1)), f32x4.convert_i32x4_s(wideMin));
      v128.store(mins + 64 * (g - first) + 16 * quad, min);
    }
  }
}

function readHalves(from: usize, bytes: usize, to: usize): void {
  for (let i: usize = 0; i < bytes; i += 8) v128.store(to + 2 * i, halves(v128.load_ext<u16>(from + i)));
}

// @ts-ignore: decorator
@inline
function highBits(plane: v128, mask: i8, shift: i32): v128 {
  return i16x8.shl(v128.and(plane, i8x16.splat(mask)), shift);
}

/** Writes the quants of columns begin .. end, multiples of 32, one per byte and unsigned: [k / 4][16 rows][4]. */
export function readQuants(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  const bits = load<u32>(weight + W_BITS);
  let from = panel + quantBytesOf(bits, begin);
  for (let k = begin; k < end; k += 32, out += 512, from += 64 * bits) {
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
