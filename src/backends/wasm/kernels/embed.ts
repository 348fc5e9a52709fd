import { W_BITS, W_COLUMNS, W_ROWS } from "../layout";
import { arg, argF32, scratch } from "./jobs";
import { panelOf } from "./scales";
import { UNPACK_COLUMNS, unpackColumns } from "./unpack";

/** Item: a row. Arguments: out, table, ids, scale. */
export function embed(begin: u32, end: u32): void {
  const table = arg(1);
  const columns = load<u32>(table + W_COLUMNS);
  const scale = argF32(3);
  for (let t = begin; t < end; t++) {
    const id = load<u32>(arg(2) + 4 * t); // negative: beyond any V
    const out = arg(0) + 4 * t * columns;
    if (id >= load<u32>(table + W_ROWS)) {
      memory.fill(out, 0, 4 * columns);
      continue;
    }
    const panel = panelOf(table, id >> 4);
    const value = scratch + 4 * (id & 15);
    for (let k: u32 = 0; k < columns; k += UNPACK_COLUMNS) {
      const last = columns - k < UNPACK_COLUMNS ? columns : k + UNPACK_COLUMNS;
      unpackColumns(table, panel, k, last, scratch);
      for (let i = k; i < last; i++) store<f32>(out + 4 * i, load<f32>(value + 64 * (i - k)) * scale);
    }
  }
}
