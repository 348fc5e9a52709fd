import { arg, argF32 } from "./jobs";
import { madd, splat, sumLanes } from "./math";

/** The sum of `count` products. */
export function dotFloats(a: usize, b: usize, count: u32): f32 {
  let s0 = splat(0);
  let s1 = splat(0);
  let i: u32 = 0;
  for (; i + 8 <= count; i += 8) {
    s0 = madd(v128.load(a + 4 * i), v128.load(b + 4 * i), s0);
    s1 = madd(v128.load(a + 4 * i, 16), v128.load(b + 4 * i, 16), s1);
  }
  let sum = sumLanes(f32x4.add(s0, s1));
  for (; i < count; i++) sum += load<f32>(a + 4 * i) * load<f32>(b + 4 * i);
  return sum;
}

/** Item: a row. Arguments: out, x, a [r, K], b [N, r], A x [T, r], K, N, r, scale. */
export function loraDelta(begin: u32, end: u32): void {
  const columns = <u32>arg(5);
  const width = <u32>arg(6);
  const rank = <u32>arg(7);
  for (let t = begin; t < end; t++) {
    const x = arg(1) + 4 * t * columns;
    const inner = arg(4) + 4 * t * rank;
    for (let i: u32 = 0; i < rank; i++) {
      store<f32>(inner + 4 * i, dotFloats(arg(2) + 4 * i * columns, x, columns) * argF32(8));
    }
    const out = arg(0) + 4 * t * width;
    for (let n: u32 = 0; n < width; n++) {
      store<f32>(out + 4 * n, load<f32>(out + 4 * n) + dotFloats(arg(3) + 4 * n * rank, inner, rank));
    }
  }
}
