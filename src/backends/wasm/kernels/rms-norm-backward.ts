// Arguments of the three kernels: dx, dWeight, dOut, x, weight (offset from 1), D, eps, whether to add to dx, T, and of
// each row its factor f and f² · mean(g x), f32 [T, 2].
import { arg, argF32 } from "./jobs";
import { splat } from "./math";
import { sumOfSquares } from "./rms-norm";

const STRIP: u32 = 64;

/** Item: a row. */
export function rmsFactors(begin: u32, end: u32): void {
  const width = <u32>arg(5);
  for (let t = begin; t < end; t++) {
    const dOut = arg(2) + 4 * t * width;
    const x = arg(3) + 4 * t * width;
    let dot: f64 = 0; // of g and x
    for (let d: u32 = 0; d < width; d++) {
      const g = <f64>load<f32>(dOut + 4 * d) * (1 + <f64>load<f32>(arg(4) + 4 * d));
      dot += g * <f64>load<f32>(x + 4 * d);
    }
    const factor = 1 / Math.sqrt(sumOfSquares(x, width) / <f64>width + <f64>argF32(6));
    store<f32>(arg(9) + 8 * t, <f32>factor);
    store<f32>(arg(9) + 8 * t, <f32>((factor * factor * dot) / <f64>width), 4);
  }
}

/** Item: 64 columns. */
export function rmsWeightBackward(begin: u32, end: u32): void {
  const width = <u32>arg(5);
  const last = end * STRIP < width ? end * STRIP : width;
  for (let d = begin * STRIP; d < last; d++) {
    let sum: f32 = 0;
    for (let t: u32 = 0; t < <u32>arg(8); t++) {
      const at = 4 * (t * width + d);
      sum += load<f32>(arg(2) + at) * load<f32>(arg(3) + at) * load<f32>(arg(9) + 8 * t);
    }
    store<f32>(arg(1) + 4 * d, load<f32>(arg(1) + 4 * d) + sum);
  }
}

/** Item: a row. */
export function rmsBackward(begin: u32, end: u32): void {
  const width = <u32>arg(5);
  const adds = arg(7) != 0;
  for (let t = begin; t < end; t++) {
    const dx = arg(0) + 4 * t * width;
    const dOut = arg(2) + 4 * t * width;
    const x = arg(3) + 4 * t * width;
    const factor = splat(load<f32>(arg(9) + 8 * t));
    const along = splat(load<f32>(arg(9) + 8 * t, 4));
    let i: u32 = 0;
    for (; i + 4 <= width; i += 4) {
      let value = slope(v128.load(dOut + 4 * i), v128.load(x + 4 * i), v128.load(arg(4) + 4 * i), factor, along);
      if (adds) value = f32x4.add(v128.load(dx + 4 * i), value);
      v128.store(dx + 4 * i, value);
    }
    for (; i < width; i++) {
      const weight = v128.load32_splat(arg(4) + 4 * i);
      let value = slope(v128.load32_splat(dOut + 4 * i), v128.load32_splat(x + 4 * i), weight, factor, along);
      if (adds) value = f32x4.add(v128.load32_splat(dx + 4 * i), value);
      v128.store_lane<f32>(dx + 4 * i, value, 0);
    }
  }
}

// @ts-ignore: decorator
@inline
function slope(dOut: v128, x: v128, weight: v128, factor: v128, along: v128): v128 {
  const g = f32x4.mul(dOut, f32x4.add(splat(1), weight));
  return f32x4.mul(factor, f32x4.sub(g, f32x4.mul(x, along)));
}
