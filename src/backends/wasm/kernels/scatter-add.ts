import { ARGS } from "../layout";
import { arg } from "./jobs";

const STRIP: u32 = 64;

/**
 * Item: 64 columns, in which rows are added in their order. Arguments: out [T, D], rows [R, D], indices, R, T, D; f64: scale.
 */
export function scatterAdd(begin: u32, end: u32): void {
  const width = <u32>arg(5);
  const scale = load<f64>(ARGS + 24);
  const first = begin * STRIP;
  const last = end * STRIP < width ? end * STRIP : width;
  for (let r: u32 = 0; r < <u32>arg(3); r++) {
    const row = load<u32>(arg(2) + 4 * r); // negative: beyond any T
    if (row >= <u32>arg(4)) continue;
    const out = arg(0) + 4 * row * width;
    const from = arg(1) + 4 * r * width;
    for (let i = first; i < last; i++) {
      // Rounded once: terms may cancel.
      const sum = <f64>load<f32>(out + 4 * i) + <f64>load<f32>(from + 4 * i) * scale;
      store<f32>(out + 4 * i, <f32>sum);
    }
  }
}
