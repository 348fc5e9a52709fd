import { arg, argF32 } from "./jobs";
import { splat } from "./math";

/** Item: an element. Arguments: out, x, factor. */
export function scale(begin: u32, end: u32): void {
  const factor = argF32(2);
  const out = arg(0) + 4 * begin;
  const x = arg(1) + 4 * begin;
  const bytes: usize = 4 * (end - begin);
  if (factor == 0) {
    memory.fill(out, 0, bytes);
    return;
  }
  if (factor == 1) {
    memory.copy(out, x, bytes);
    return;
  }
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(out + i, f32x4.mul(v128.load(x + i), splat(factor)));
  for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(x + i) * factor);
}
