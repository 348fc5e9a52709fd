// The paged cache of one layer. A page holds 16 positions: keys [K][H][16], so that scores of 16 keys are lanes, and
// values [K][16][H], as f32, bf16 or int8; scales of int8 are f32 [pages][K][16] each.
import { arg } from "./jobs";
import { splat } from "./math";

export const PAGE_ROWS: u32 = 16;
export const KV_F32: u32 = 0;
export const KV_BF16: u32 = 1;

// Arguments that kernels of the cache share.
export const A_KEYS = 2;
export const A_VALUES = 3;
export const A_KEY_SCALES = 4;
export const A_VALUE_SCALES = 5;
export const A_DTYPE = 6;
export const A_KV_HEADS = 7;
export const A_HEAD_DIM = 8;
export const A_PAGES = 9;
export const A_POSITIONS = 10;
export const A_SEQUENCES = 11;
export const A_TABLE = 12; //     [S, P]
export const A_TABLE_ROWS = 13;
export const A_TABLE_WIDTH = 14;

/** Page of positions 16 · column and behind, -1: none, or outside the table or the cache. */
export function pageOf(sequence: i32, column: i32): i32 {
  const width = <i32>arg(A_TABLE_WIDTH);
  if (sequence < 0 || sequence >= <i32>arg(A_TABLE_ROWS) || column < 0 || column >= width) return -1;
  const page = load<i32>(arg(A_TABLE) + 4 * (sequence * width + column));
  return page >= 0 && page < <i32>arg(A_PAGES) ? page : -1;
}

// @ts-ignore: decorator
@inline
export function elementBytes(dtype: u32): usize {
  return dtype == KV_F32 ? 4 : dtype == KV_BF16 ? 2 : 1;
}

/** Four elements as floats; int8 ones are still to be multiplied with their scales. */
// @ts-ignore: decorator
@inline
function four(from: usize, i: usize, dtype: u32): v128 {
  if (dtype == KV_F32) return v128.load(from + 4 * i);
  if (dtype == KV_BF16) return i32x4.shl(v128.load_ext<u16>(from + 2 * i), 16);
  const codes = i16x8.extend_low_i8x16_s(v128.load32_zero(from + i));
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(codes));
}

/** A page's keys of one head as f32 [H][16]. */
export function readKeys(page: i32, head: u32, out: usize): void {
  const dtype = <u32>arg(A_DTYPE);
  const width = arg(A_HEAD_DIM);
  const index = page * arg(A_KV_HEADS) + head;
  const from = arg(A_KEYS) + index * width * PAGE_ROWS * elementBytes(dtype);
  const count = width * PAGE_ROWS;
  if (dtype <= KV_BF16) {
    for (let i: usize = 0; i < count; i += 4) v128.store(out + 4 * i, four(from, i, dtype));
    return;
  }
  for (let quad: usize = 0; quad < 16; quad += 4) {
    const scales = v128.load(arg(A_KEY_SCALES) + 64 * index + 4 * quad);
    for (let i = quad; i < count; i += 16) v128.store(out + 4 * i, f32x4.mul(four(from, i, dtype), scales));
  }
}

/** A page's values of one head as f32 [16][H]. */
export function readValues(page: i32, head: u32, out: usize): void {
  const dtype = <u32>arg(A_DTYPE);
  const width = arg(A_HEAD_DIM);
  const index = page * arg(A_KV_HEADS) + head;
  const from = arg(A_VALUES) + index * width * PAGE_ROWS * elementBytes(dtype);
  const count = width * PAGE_ROWS;
  if (dtype <= KV_BF16) {
    for (let i: usize = 0; i < count; i += 4) v128.store(out + 4 * i, four(from, i, dtype));
    return;
  }
  for (let row: usize = 0; row < PAGE_ROWS; row++) {
    const scale = load<f32>(arg(A_VALUE_SCALES) + 64 * index + 4 * row);
    const first = row * width;
    let i: usize = 0;
    for (; i + 4 <= width; i += 4) v128.store(out + 4 * (first + i), f32x4.mul(four(from, first + i, dtype), splat(scale)));
    for (; i < width; i++) store<f32>(out + 4 * (first + i), <f32>load<i8>(from + first + i) * scale);
  }
}
