import { arg } from "./jobs";

/** Item: a row of the output. Arguments: out, x, rows, T, D. */
export function gatherRows(begin: u32, end: u32): void {
  const bytes: usize = 4 * arg(4);
  for (let r = begin; r < end; r++) {
    const row = load<u32>(arg(2) + 4 * r); // negative: beyond any T
    const out = arg(0) + r * bytes;
    if (row < <u32>arg(3)) memory.copy(out, arg(1) + row * bytes, bytes);
    else memory.fill(out, 0, bytes);
  }
}
