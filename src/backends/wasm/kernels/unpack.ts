// Packed weights as floats.
import {
  DENSE_F16,
  DENSE_F32,
  SCRATCH_BYTES,
  W_BITS,
  W_GROUP,
  W_HAS_MIN,
  W_OFFSET,
  W_SCALE_KIND,
} from "../layout";
import { scratch } from "./jobs";
import { halves } from "./math";
import { readQuants, readScales } from "./scales";

export const UNPACK_COLUMNS: u32 = 256; // at most, at once

// The last part of a thread's scratch.
const QUANTS = SCRATCH_BYTES - 16384;
const SCALES = SCRATCH_BYTES - 12288;
const MINS = SCRATCH_BYTES - 11264;

/**
 * Writes columns begin .. end of a panel as f32 [k][16 rows]. Both are multiples of 32 where the weight is quantised; at
 * most 256 columns.
 */
export function unpackColumns(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  if (load<u32>(weight + W_BITS) == 0) unpackDense(weight, panel, begin, end, out);
  else unpackQuantised(weight, panel, begin, end, out);
}

function unpackDense(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  const kind = load<u32>(weight + W_SCALE_KIND);
  const count: usize = 16 * (end - begin);
  if (kind == DENSE_F32) {
    memory.copy(out, panel + 64 * begin, 4 * count);
    return;
  }
  const from = panel + 32 * begin;
  for (let i: usize = 0; i < count; i += 4) {
    const bits = v128.load_ext<u16>(from + 2 * i);
    v128.store(out + 4 * i, kind == DENSE_F16 ? halves(bits) : i32x4.shl(bits, 16));
  }
}

function unpackQuantised(weight: usize, panel: usize, begin: u32, end: u32, out: usize): void {
  const group = load<u32>(weight + W_GROUP);
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const offset = i32x4.splat(load<i32>(weight + W_OFFSET));
  const quants = scratch + QUANTS;
  const scales = scratch + SCALES;
  const mins = scratch + MINS;
  for (let k = begin; k < end; k += 32) {
    readQuants(weight, panel, k, k + 32, quants);
    readScales(weight, panel, k, k + 32, scales, mins);
    for (let i: u32 = 0; i < 32; i += 4) {
      for (let quad: usize = 0; quad < 64; quad += 16) {
        const four = v128.load(quants + 16 * i + quad);
        const at = quad + 64 * (i / group);
        const scale = v128.load(scales + at);
        const to = out + 64 * i + quad;
        for (let byte: u32 = 0; byte < 4; byte++) {
          const quant = v128.and(i32x4.shr_u(four, 8 * byte), i32x4.splat(255));
          let value = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(quant, offset)), scale);
          if (hasMin) value = f32x4.add(value, v128.load(mins + at));
          v128.store(to + 64 * byte, value);
        }
      }
    }
    out += 64 * 32;
  }
}
