import { arg } from "./jobs";
import { sumOfSquares } from "./rms-norm";

const BLOCK: u32 = 16384;

/** Item: 16384 elements. Arguments: f64 sums of the blocks, x, elements. */
export function sumSquares(begin: u32, end: u32): void {
  for (let block = begin; block < end; block++) {
    const first = block * BLOCK;
    const count: u32 = <u32>arg(2) - first < BLOCK ? <u32>arg(2) - first : BLOCK;
    store<f64>(arg(0) + 8 * block, sumOfSquares(arg(1) + 4 * first, count));
  }
}
