import { arg } from "./jobs";

/** Item: an element. Arguments: out, a, b. */
export function add(begin: u32, end: u32): void {
  const out = arg(0);
  const a = arg(1);
  const b = arg(2);
  let i: usize = begin * 4;
  const last: usize = end * 4;
  for (; i + 16 <= last; i += 16) v128.store(out + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  for (; i < last; i += 4) store<f32>(out + i, load<f32>(a + i) + load<f32>(b + i));
}
