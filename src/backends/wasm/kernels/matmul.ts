import {
  PANEL_ROWS,
  ROW_BLOCK,
  W_BITS,
  W_COLUMNS,
  W_IS_IRREGULAR,
  W_PANELS,
  W_ROWS,
} from "../layout";
import { arg, scratch } from "./jobs";
import { multiplyRow } from "./multiply-row";
import { multiplyTiles, tileQuants } from "./multiply-tile";
import { xBytes } from "./prepare-x";
import { product } from "./product";
import { panelOf, readScales } from "./scales";
import { UNPACK_COLUMNS, unpackColumns } from "./unpack";

const K_BLOCK: u32 = 1024; // columns that are unpacked at once
const SUM_COLUMNS: u32 = 64;
const FEW_ROWS: u32 = 2; //  up to here unpacking anew for each row costs less than storing it

// Parts of a thread's scratch. The kernels of gated products have sums at 0 and 8192.
export const SUMS_BYTES: usize = 8192; // sums [ROW_BLOCK][16], then those of a part
const PART_SUMS: usize = 4096;
const SCALES: usize = 16384;
const MINS: usize = 20480;
const QUANTS: usize = 24576; // also floats [256][16]

/** Writes rows of x times a panel to sums [rows][16]. x: prepared rows where isInt8 and the weight is quantised. */
export function multiplyPanel(
  weight: usize,
  index: u32,
  x: usize,
  prepared: usize,
  row: u32,
  rows: u32,
  isInt8: bool,
  sums: usize,
): void {
  const columns = load<u32>(weight + W_COLUMNS);
  const panel = panelOf(weight, index);
  memory.fill(sums, 0, 64 * rows);
  if (!isInt8 || load<u32>(weight + W_BITS) == 0) {
    const floats = scratch + QUANTS;
    const from = x + 4 * row * columns;
    for (let k: u32 = 0; k < columns; k += UNPACK_COLUMNS) {
      const last = columns - k < UNPACK_COLUMNS ? columns : k + UNPACK_COLUMNS;
      unpackColumns(weight, panel, k, last, floats);
      // Long sums in f32 lose digits: parts of them are summed up apart.
      for (let first = k; first < last; first += SUM_COLUMNS) {
        const some = last - first < SUM_COLUMNS ? last - first : SUM_COLUMNS;
        const part = sums + PART_SUMS;
        memory.fill(part, 0, 64 * rows);
        product(part, 64, from + 4 * first, 4 * columns, 4, floats + 64 * (first - k), 64, rows, 16, some);
        for (let i: usize = 0; i < 64 * rows; i += 16) {
          v128.store(sums + i, f32x4.add(v128.load(sums + i), v128.load(part + i)));
        }
      }
    }
    return;
  }
  const isRegular = load<u32>(weight + W_IS_IRREGULAR) == 0;
  const scales = scratch + SCALES;
  const mins = scratch + MINS;
  const stride = xBytes(columns);
  const from = prepared + row * stride;
  for (let k: u32 = 0; k < columns; k += K_BLOCK) {
    const last = columns - k < K_BLOCK ? columns : k + K_BLOCK;
    if (rows <= FEW_ROWS && isRegular) {
      for (let r: u32 = 0; r < rows; r++) {
        multiplyRow(weight, panel, k, last, from + r * stride, columns, scales, sums + 64 * r);
      }
    } else {
      readScales(weight, panel, k, last, scales, mins);
      const quants = scratch + QUANTS;
      tileQuants(weight, panel, k, last, quants);
      multiplyTiles(weight, quants, k, last, from, columns, rows, scales, mins, sums);
    }
  }
}

// @ts-ignore: decorator
@inline
export function panelsOf(weight: usize): u32 {
  return (load<u32>(weight + W_ROWS) + PANEL_ROWS - 1) / PANEL_ROWS;
}

/**
 * Item: a panel of one of the weights for a block of rows; the blocks of a panel follow each other. Arguments: T, x,
 * prepared rows, whether to use them, n, then n times a weight and its output [T, N].
 */
export function matmul(begin: u32, end: u32): void {
  const rows = <u32>arg(0);
  const blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;
  for (let item = begin; item < end; item++) {
    let index = item / blocks;
    let which = 5;
    while (index >= panelsOf(arg(which))) {
      index -= panelsOf(arg(which));
      which += 2;
    }
    const weight = arg(which);
    const row = (item % blocks) * ROW_BLOCK;
    const count = rows - row < <u32>ROW_BLOCK ? rows - row : ROW_BLOCK;
    multiplyPanel(weight, index, arg(1), arg(2), row, count, arg(3) != 0, scratch);
    storeSums(scratch, count, arg(which + 1), row, load<u32>(weight + W_ROWS), index);
  }
}

/** Copies sums [rows][16] to their place in out [T, N]. */
export function storeSums(sums: usize, rows: u32, out: usize, row: u32, width: u32, index: u32): void {
  const column = index * PANEL_ROWS;
  const count = width - column < <u32>PANEL_ROWS ? width - column : PANEL_ROWS;
  for (let r: u32 = 0; r < rows; r++) {
    memory.copy(out + 4 * ((row + r) * width + column), sums + 64 * r, 4 * count);
  }
}
