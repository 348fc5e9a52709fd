import { arg, argF32 } from "./jobs";
import { splat } from "./math";

/** The sum of `width` squares, in f64. */
export function sumOfSquares(x: usize, width: u32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let i: u32 = 0;
  for (; i + 4 <= width; i += 4) {
    const v = v128.load(x + 4 * i);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sums = f64x2.add(low, high);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < width; i++) sum += <f64>load<f32>(x + 4 * i) * <f64>load<f32>(x + 4 * i);
  return sum;
}

/** Item: a row. Arguments: out, x, weight (offset from 1), D, eps. */
export function rmsNorm(begin: u32, end: u32): void {
  const weight = arg(2);
  const width = <u32>arg(3);
  for (let row = begin; row < end; row++) {
    const x = arg(1) + 4 * row * width;
    const out = arg(0) + 4 * row * width;
    const factor = <f32>(1 / Math.sqrt(sumOfSquares(x, width) / <f64>width + <f64>argF32(4)));
    let i: u32 = 0;
    for (; i + 4 <= width; i += 4) {
      const scale = f32x4.add(splat(1), v128.load(weight + 4 * i));
      v128.store(out + 4 * i, f32x4.mul(f32x4.mul(v128.load(x + 4 * i), splat(factor)), scale));
    }
    for (; i < width; i++) store<f32>(out + 4 * i, load<f32>(x + 4 * i) * factor * (1 + load<f32>(weight + 4 * i)));
  }
}
