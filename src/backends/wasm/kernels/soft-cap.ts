import { arg, argF32 } from "./jobs";
import { splat, tanh4 } from "./math";

/** Item: an element. Arguments: x, cap. */
export function softCap(begin: u32, end: u32): void {
  const x = arg(0);
  const cap = splat(argF32(1));
  let i: usize = begin * 4;
  const last: usize = end * 4;
  for (; i + 16 <= last; i += 16) v128.store(x + i, f32x4.mul(tanh4(f32x4.div(v128.load(x + i), cap)), cap));
  for (; i < last; i += 4) {
    v128.store_lane<f32>(x + i, f32x4.mul(tanh4(f32x4.div(v128.load32_splat(x + i), cap)), cap), 0);
  }
}
