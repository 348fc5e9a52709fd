import { arg } from "./jobs";
import { gelu4 } from "./math";

/** Item: an element. Arguments: out, gate, up. */
export function geglu(begin: u32, end: u32): void {
  const out = arg(0);
  const gate = arg(1);
  const up = arg(2);
  let i: usize = begin * 4;
  const last: usize = end * 4;
  for (; i + 16 <= last; i += 16) v128.store(out + i, f32x4.mul(gelu4(v128.load(gate + i)), v128.load(up + i)));
  for (; i < last; i += 4) {
    store<f32>(out + i, f32x4.extract_lane(gelu4(v128.load32_splat(gate + i)), 0) * load<f32>(up + i));
  }
}
