import { rowBytes } from "../../dist/base/dtype.js";
import { blockFiller, randomBytes } from "./random-blocks.mjs";

const PERIOD_ROWS = 64; // these repeat
const SLICE_BYTES = 8 << 20; // a backend reads slices of at most this

/** A stored weight [N, K] of random values, whose rows repeat: a large one takes no memory of its own. */
export function randomWeight(dtype, N, K) {
  const width = rowBytes(dtype, K);
  const period = randomBytes(1, `${dtype} ${K}`)(PERIOD_ROWS * width);
  blockFiller(dtype)(period);
  const bytes = Buffer.alloc(Math.ceil(SLICE_BYTES / period.length + 1) * period.length);
  for (let at = 0; at < bytes.length; at += period.length) period.copy(bytes, at);
  const read = (offset, length) => bytes.subarray(offset % period.length).subarray(0, length);
  return { name: `random ${dtype}`, dtype, shape: [N, K], read };
}
