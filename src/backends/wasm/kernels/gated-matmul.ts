import { ROW_BLOCK, W_ROWS } from "../layout";
import { arg, scratch } from "./jobs";
import { multiplyPanel, storeSums, SUMS_BYTES } from "./matmul";
import { gelu4 } from "./math";

/** Item: a panel for a block of rows. Arguments: T, x, prepared rows, whether to use them, gate, up, out. */
export function gatedMatmul(begin: u32, end: u32): void {
  const rows = <u32>arg(0);
  const blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;
  const gates = scratch;
  const ups = scratch + SUMS_BYTES;
  for (let item = begin; item < end; item++) {
    const index = item / blocks;
    const row = (item % blocks) * ROW_BLOCK;
    const count = rows - row < <u32>ROW_BLOCK ? rows - row : ROW_BLOCK;
    multiplyPanel(arg(4), index, arg(1), arg(2), row, count, arg(3) != 0, gates);
    multiplyPanel(arg(5), index, arg(1), arg(2), row, count, arg(3) != 0, ups);
    for (let i: usize = 0; i < 64 * count; i += 16) {
      v128.store(gates + i, f32x4.mul(gelu4(v128.load(gates + i)), v128.load(ups + i)));
    }
    storeSums(gates, count, arg(6), row, load<u32>(arg(4) + W_ROWS), index);
  }
}
