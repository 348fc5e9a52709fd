import { arg } from "./jobs";
import { exp4, madd, splat } from "./math";

const ROOT: f32 = 0.7978845608028654; // sqrt(2/π)

/** 1 / (1 + exp(-2u)), by which gelu multiplies x. */
// @ts-ignore: decorator
@inline
function share(x: v128): v128 {
  const cubic = madd(f32x4.mul(f32x4.mul(x, x), x), splat(0.044715), x);
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.mul(cubic, splat(-2 * ROOT)))));
}

/** Item: an element. Arguments: dGate, dUp, dOut, gate, up. */
export function gegluBackward(begin: u32, end: u32): void {
  let i: usize = begin * 4;
  const last: usize = end * 4;
  for (; i + 16 <= last; i += 16) {
    const d = v128.load(arg(2) + i); // before an alias overwrites it
    const x = v128.load(arg(3) + i);
    const p = share(x);
    const up = v128.load(arg(4) + i);
    v128.store(arg(0) + i, f32x4.mul(f32x4.mul(d, up), slope(x, p)));
    v128.store(arg(1) + i, f32x4.mul(d, f32x4.mul(x, p)));
  }
  for (; i < last; i += 4) {
    const d = v128.load32_splat(arg(2) + i);
    const x = v128.load32_splat(arg(3) + i);
    const p = share(x);
    const up = v128.load32_splat(arg(4) + i);
    v128.store_lane<f32>(arg(0) + i, f32x4.mul(f32x4.mul(d, up), slope(x, p)), 0);
    v128.store_lane<f32>(arg(1) + i, f32x4.mul(d, f32x4.mul(x, p)), 0);
  }
}

/** p + x p (1 - p) 2u'; beyond ±12 the second term is 0, and x³ might overflow. */
// @ts-ignore: decorator
@inline
function slope(x: v128, p: v128): v128 {
  const near = f32x4.min(f32x4.max(x, splat(-12)), splat(12));
  const steep = f32x4.mul(splat(2 * ROOT), madd(f32x4.mul(near, near), splat(3 * 0.044715), splat(1)));
  const both = f32x4.mul(p, f32x4.sub(splat(1), p));
  return madd(f32x4.mul(near, both), steep, p);
}
