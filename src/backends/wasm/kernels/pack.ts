// Stored rows to panels; scales.ts describes them.
import {
  BF16,
  F16,
  F32,
  LEAST_NORM,
  PANEL_ROWS,
  SCALES_F32,
  W_BITS,
  W_COLUMNS,
  W_DTYPE,
  W_GROUP,
  W_HAS_MIN,
  W_HEAD_BYTES,
  W_IS_IRREGULAR,
  W_LOW,
  W_QUANT_BYTES,
  W_ROWS,
  W_SCALE_KIND,
  W_UNIT_BYTES,
} from "../layout";
import { arg, scratch } from "./jobs";
import { headOf, lowOf, normsOf, panelOf, unitOf } from "./scales";
import { BLOCK_BYTES, BLOCK_MIN, BLOCK_SCALE, BLOCK_SUBMINS, BLOCK_SUBS, unpackBlock } from "./stored-blocks";

/**
 * Item: a panel, counted from the first that `source` has. Arguments: weight, source, the first panel, bytes of a stored
 * row, elements and bytes of a block.
 */
export function pack(begin: u32, end: u32): void {
  const weight = arg(0);
  const dtype = load<u32>(weight + W_DTYPE);
  for (let item = begin; item < end; item++) {
    const index = <u32>arg(2) + item;
    const left = load<u32>(weight + W_ROWS) - index * PANEL_ROWS;
    const rows: u32 = left < <u32>PANEL_ROWS ? left : PANEL_ROWS;
    const source = arg(1) + item * PANEL_ROWS * arg(3);
    const panel = panelOf(weight, index);
    if (dtype == F32) packDense<u32>(weight, source, rows, panel);
    else if (dtype == F16 || dtype == BF16) packDense<u16>(weight, source, rows, panel);
    else packQuantised(weight, dtype, source, rows, panel);
  }
}

function packDense<T>(weight: usize, source: usize, rows: u32, panel: usize): void {
  const columns = load<u32>(weight + W_COLUMNS);
  if (rows < <u32>PANEL_ROWS) memory.fill(panel, 0, columns * PANEL_ROWS * sizeof<T>());
  for (let row: u32 = 0; row < rows; row++) {
    const from = source + row * arg(3);
    for (let k: u32 = 0; k < columns; k++) {
      store<T>(panel + (k * PANEL_ROWS + row) * sizeof<T>(), load<T>(from + k * sizeof<T>()));
    }
  }
}

function packQuantised(weight: usize, dtype: u32, source: usize, rows: u32, panel: usize): void {
  const columns = load<u32>(weight + W_COLUMNS);
  const bits = load<u32>(weight + W_BITS);
  const elements = <u32>arg(4);
  const bytes = arg(5);
  const isSplit = load<usize>(weight + W_LOW) != 0;
  const norms = normsOf(weight, panel);
  if (isSplit) {
    for (let row: usize = 0; row < <u32>PANEL_ROWS; row++) store<i32>(norms + 4 * row, LEAST_NORM * LEAST_NORM);
  }
  // Rows that the matrix does not have keep scale zero.
  memory.fill(scratch, 0, BLOCK_BYTES * PANEL_ROWS);
  for (let b: u32 = 0; b < columns / elements; b++) {
    for (let row: u32 = 0; row < rows; row++) {
      unpackBlock(dtype, source + row * arg(3) + b * bytes, scratch + row * BLOCK_BYTES);
    }
    const k = b * elements;
    for (let i: u32 = 0; i < elements; i += 32) {
      const unit = unitOf(weight, panel, k + i);
      if (isSplit) packHalves(scratch, unit, lowOf(weight, panel, k), norms);
      else packQuants(bits, scratch + i, unit);
    }
    if (elements == 32) packOneLevel(weight, unitOf(weight, panel, k));
    else packTwoLevels(weight, headOf(weight, panel, k));
  }
  if (isSplit) {
    for (let row: usize = 0; row < <u32>PANEL_ROWS; row++) {
      const at = norms + 4 * row; // it had the squared norm
      store<f32>(at, Mathf.sqrt(<f32>load<i32>(at)));
    }
  }
}

/** Writes 32 columns of 16 rows. */
function packQuants(bits: u32, quants: usize, out: usize): void {
  const sign = i8x16.splat(bits == 8 ? -128 : 0);
  for (let row: usize = 0; row < <u32>PANEL_ROWS; row += 4, quants += 4 * BLOCK_BYTES, out += 16) {
    if (bits == 4) {
      storeColumns(nibbles(quants, 0), nibbles(quants, 1), nibbles(quants, 2), nibbles(quants, 3), out);
    } else {
      for (let half: usize = 0; half < 2; half++) {
        const from = quants + 16 * half;
        storeColumns(
          v128.xor(v128.load(from), sign),
          v128.xor(v128.load(from + BLOCK_BYTES), sign),
          v128.xor(v128.load(from + 2 * BLOCK_BYTES), sign),
          v128.xor(v128.load(from + 3 * BLOCK_BYTES), sign),
          out + 256 * half,
        );
      }
    }
  }
}

/** Writes four rows' values, 4 bytes each of four vectors of 64. */
// @ts-ignore: decorator
@inline
function storeColumns(a: v128, b: v128, c: v128, d: v128, out: usize): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  v128.store(out, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(out, v128.shuffle<u64>(ab, cd, 1, 3), 64);
  const abRest = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdRest = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(abRest, cdRest, 0, 2), 128);
  v128.store(out, v128.shuffle<u64>(abRest, cdRest, 1, 3), 192);
}

/** Lane j: bytes 8j .. 8j + 3 of a row's 32. */
// @ts-ignore: decorator
@inline
function evens(quants: usize, row: usize): v128 {
  const at = quants + row * BLOCK_BYTES;
  return v128.shuffle<u32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

/** Lane j: bytes 8j + 4 .. 8j + 7. */
// @ts-ignore: decorator
@inline
function odds(quants: usize, row: usize): v128 {
  const at = quants + row * BLOCK_BYTES;
  return v128.shuffle<u32>(v128.load(at), v128.load(at, 16), 1, 3, 5, 7);
}

/** Lower halves of a row's bytes: those of the odd columns go into upper halves. */
// @ts-ignore: decorator
@inline
function nibbles(quants: usize, row: usize): v128 {
  const mask = i8x16.splat(15);
  return v128.or(v128.and(evens(quants, row), mask), i16x8.shl(v128.and(odds(quants, row), mask), 4));
}

// @ts-ignore: decorator
@inline
function upperNibbles(quants: usize, row: usize): v128 {
  const mask = i8x16.splat(15);
  return v128.or(v128.and(i16x8.shr_u(evens(quants, row), 4), mask), v128.andnot(odds(quants, row), mask));
}

/** The halves of 32 bytes of 16 rows, as those of 4 bits each; squares [16] grow with the lower ones. */
function packHalves(quants: usize, upper: usize, lower: usize, squares: usize): void {
  for (let row: usize = 0; row < <u32>PANEL_ROWS; row += 4, quants += 4 * BLOCK_BYTES) {
    const at = 4 * row;
    storeColumns(nibbles(quants, 0), nibbles(quants, 1), nibbles(quants, 2), nibbles(quants, 3), lower + at);
    storeColumns(
      upperNibbles(quants, 0),
      upperNibbles(quants, 1),
      upperNibbles(quants, 2),
      upperNibbles(quants, 3),
      upper + at,
    );
    const a = lowerSquares(quants, 0);
    const b = lowerSquares(quants, 1);
    const c = lowerSquares(quants, 2);
    const d = lowerSquares(quants, 3);
    const most = v128.load(squares + at);
    v128.store(squares + at, i32x4.max_s(most, laneSums(a, b, c, d)));
  }
}

/** Four numbers whose sum is Σ (n - 7.5)² over the lower halves n of a row's 32 bytes. */
// @ts-ignore: decorator
@inline
function lowerSquares(quants: usize, row: usize): v128 {
  const at = quants + row * BLOCK_BYTES;
  const first = v128.and(v128.load(at), i8x16.splat(15));
  const second = v128.and(v128.load(at, 16), i8x16.splat(15));
  let sums = i16x8.add(i16x8.extmul_low_i8x16_u(first, first), i16x8.extmul_high_i8x16_u(first, first));
  sums = i16x8.add(sums, i16x8.extmul_low_i8x16_u(second, second));
  sums = i16x8.add(sums, i16x8.extmul_high_i8x16_u(second, second));
  const total = i16x8.add(i16x8.extadd_pairwise_i8x16_u(first), i16x8.extadd_pairwise_i8x16_u(second));
  sums = i16x8.sub(sums, i16x8.mul(total, i16x8.splat(15))); // four squares, and 15 · four halves: 900 at most
  return i32x4.add(i32x4.extadd_pairwise_i16x8_s(sums), i32x4.splat(8 * 225 / 4)); // 7.5² = 225 / 4
}

/** Lane i: the sum over vector i. */
// @ts-ignore: decorator
@inline
function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3));
}

function packOneLevel(weight: usize, unit: usize): void {
  const at = unit + load<u32>(weight + W_QUANT_BYTES);
  for (let row: usize = 0; row < <u32>PANEL_ROWS; row++) {
    const from = scratch + row * BLOCK_BYTES;
    if (load<u32>(weight + W_SCALE_KIND) == SCALES_F32) {
      store<u32>(at + 4 * row, load<u32>(from + BLOCK_SCALE));
      continue;
    }
    storeHalf(weight, at + 2 * row, from + BLOCK_SCALE);
    if (load<u32>(weight + W_HAS_MIN) != 0) storeHalf(weight, at + 32 + 2 * row, from + BLOCK_MIN);
  }
}

function packTwoLevels(weight: usize, head: usize): void {
  const hasMin = load<u32>(weight + W_HAS_MIN) != 0;
  const unitBytes = load<u32>(weight + W_UNIT_BYTES);
  const groups: usize = 32 / load<u32>(weight + W_GROUP); // of a unit
  const subs = head + load<u32>(weight + W_HEAD_BYTES) + load<u32>(weight + W_QUANT_BYTES);
  for (let row: usize = 0; row < <u32>PANEL_ROWS; row++) {
    const from = scratch + row * BLOCK_BYTES;
    storeHalf(weight, head + 2 * row, from + BLOCK_SCALE);
    if (hasMin) storeHalf(weight, head + 32 + 2 * row, from + BLOCK_MIN);
    for (let g: usize = 0; g < 8 * groups; g++) {
      const at = subs + (g / groups) * unitBytes + 16 * (g % groups) + row;
      store<u8>(at, load<u8>(from + BLOCK_SUBS + g));
      if (hasMin) store<u8>(at + 16 * groups, load<u8>(from + BLOCK_SUBMINS + g));
    }
  }
}

function storeHalf(weight: usize, to: usize, from: usize): void {
  const half = load<u16>(from);
  store<u16>(to, half);
  if ((half & 0x7c00) == 0x7c00) store<u32>(weight + W_IS_IRREGULAR, 1);
}
