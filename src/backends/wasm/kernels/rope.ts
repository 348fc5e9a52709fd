import { arg } from "./jobs";
import { splat } from "./math";

/** Item: a row. Arguments: x, heads, H, cosines [T, H/2], sines [T, H/2], 1 or -1: which way. */
export function rope(begin: u32, end: u32): void {
  const heads = <u32>arg(1);
  const width = <u32>arg(2);
  const half: usize = 2 * width; // bytes
  const sign = <f32>(<i32>arg(5));
  for (let row = begin; row < end; row++) {
    const cosines = arg(3) + row * half;
    const sines = arg(4) + row * half;
    for (let head: u32 = 0; head < heads; head++) {
      const x = arg(0) + 2 * half * (row * heads + head);
      let i: usize = 0;
      for (; i + 16 <= half; i += 16) {
        const first = v128.load(x + i); // split halves: i turns with i + H/2
        const second = v128.load(x + i + half);
        const cosine = v128.load(cosines + i);
        const sine = f32x4.mul(v128.load(sines + i), splat(sign));
        v128.store(x + i, f32x4.sub(f32x4.mul(first, cosine), f32x4.mul(second, sine)));
        v128.store(x + i + half, f32x4.add(f32x4.mul(second, cosine), f32x4.mul(first, sine)));
      }
      for (; i < half; i += 4) {
        const first = load<f32>(x + i);
        const second = load<f32>(x + i + half);
        const cosine = load<f32>(cosines + i);
        const sine = load<f32>(sines + i) * sign;
        store<f32>(x + i, first * cosine - second * sine);
        store<f32>(x + i + half, second * cosine + first * sine);
      }
    }
  }
}
