import { W_COLUMNS, W_ROWS } from "../layout";
import { arg, scratch } from "./jobs";
import { panelsOf } from "./matmul";
import { product } from "./product";
import { panelOf } from "./scales";
import { unpackColumns } from "./unpack";

export const BACKWARD_ROWS: u32 = 128; // of dx that an item computes
const STRIP: u32 = 64; //         columns of it

const COLUMNS: usize = 0; //   f32 [64][16]
const ROWS: usize = 4096; //   f32 [16][64]

/** Item: 128 rows of 64 columns of dx, to which it adds. Arguments: dx [T, K], dOut [T, N], weight, T. */
export function matmulBackward(begin: u32, end: u32): void {
  const weight = arg(2);
  const columns = load<u32>(weight + W_COLUMNS);
  const width = load<u32>(weight + W_ROWS);
  const strips = (columns + STRIP - 1) / STRIP;
  for (let item = begin; item < end; item++) {
    const row = (item / strips) * BACKWARD_ROWS;
    const rows = <u32>arg(3) - row < BACKWARD_ROWS ? <u32>arg(3) - row : BACKWARD_ROWS;
    const k = (item % strips) * STRIP;
    const last = columns - k < STRIP ? columns : k + STRIP;
    const dx = arg(0) + 4 * (row * columns + k);
    for (let index: u32 = 0; index < panelsOf(weight); index++) {
      const n = index * 16;
      const terms: u32 = width - n < 16 ? width - n : 16;
      unpackColumns(weight, panelOf(weight, index), k, last, scratch + COLUMNS);
      transpose(last - k);
      const dOut = arg(1) + 4 * (row * width + n);
      product(dx, 4 * columns, dOut, 4 * width, 4, scratch + ROWS, 4 * STRIP, rows, last - k, terms);
    }
  }
}

/** [count][16] at COLUMNS to [16][64] at ROWS. */
function transpose(count: u32): void {
  for (let k: u32 = 0; k < count; k++) {
    const from = scratch + COLUMNS + 64 * k;
    const to = scratch + ROWS + 4 * k;
    for (let quad: usize = 0; quad < 4; quad++) {
      const four = v128.load(from + 16 * quad);
      v128.store_lane<f32>(to + 1024 * quad, four, 0);
      v128.store_lane<f32>(to + 1024 * quad, four, 1, 256);
      v128.store_lane<f32>(to + 1024 * quad, four, 2, 512);
      v128.store_lane<f32>(to + 1024 * quad, four, 3, 768);
    }
  }
}
