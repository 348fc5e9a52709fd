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
    for (let row: usize = 0; row < <u32>PANEL_ROWS; row++) store<f32>(norms + 4 * row, <f32>LEAST_NORM);
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
}

/** Writes 32 columns of 16 rows: each row puts its 4 bytes into every vector of 64. */
function packQuants(bits: u32, quants: usize, out: usize): void {
  for (let row: usize = 0; row < <u32>PANEL_ROWS; row++, quants += BLOCK_BYTES, out += 4) {
    if (bits == 4) {
      for (let j: usize = 0; j < 4; j++) {
        const even = load<u32>(quants + 8 * j);
        const odd = load<u32>(quants + 8 * j + 4);
        store<u32>(out + 64 * j, (even & 0x0f0f0f0f) | ((odd & 0x0f0f0f0f) << 4));
      }
    } else {
      const sign: u32 = bits == 8 ? 0x80808080 : 0;
      for (let i: usize = 0; i < 8; i++) store<u32>(out + 64 * i, load<u32>(quants + 4 * i) ^ sign);
    }
  }
}

/** The halves of 32 bytes of 16 rows, as those of 4 bits each; norms [16] grow with the lower ones. */
function packHalves(quants: usize, upper: usize, lower: usize, norms: usize): void {
  const mask: u32 = 0x0f0f0f0f;
  for (let row: usize = 0; row < <u32>PANEL_ROWS; row++, quants += BLOCK_BYTES) {
    for (let j: usize = 0; j < 4; j++) {
      const even = load<u32>(quants + 8 * j);
      const odd = load<u32>(quants + 8 * j + 4);
      store<u32>(upper + 64 * j + 4 * row, ((even >> 4) & mask) | (odd & ~mask));
      store<u32>(lower + 64 * j + 4 * row, (even & mask) | ((odd & mask) << 4));
    }
    let squares: f32 = 0; // at most 1800, in steps of a quarter: exact
    for (let k: usize = 0; k < 32; k++) {
      const rest = <f32>(<i32>load<u8>(quants + k) & 15) - 7.5;
      squares += rest * rest;
    }
    const norm: f32 = Mathf.sqrt(squares);
    if (norm > load<f32>(norms + 4 * row)) store<f32>(norms + 4 * row, norm);
  }
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
