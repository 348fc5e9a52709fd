import { ARGS } from "../layout";
import { arg } from "./jobs";

// @ts-ignore: decorator
@inline
function number(i: i32): f64 {
  return load<f64>(ARGS + 16 + 8 * i);
}

/**
 * Item: an element. Arguments: parameter, m, v, gradient; f64: beta1, beta2, eps, gradScale, 1 - learning rate · decay, the
 * step's size, the root of v's correction.
 */
export function adamW(begin: u32, end: u32): void {
  const beta1 = number(0);
  const beta2 = number(1);
  for (let i: usize = 4 * begin; i < 4 * end; i += 4) {
    const g = number(3) * <f64>load<f32>(arg(3) + i);
    const m = <f32>(beta1 * <f64>load<f32>(arg(1) + i) + (1 - beta1) * g);
    const v = <f32>(beta2 * <f64>load<f32>(arg(2) + i) + (1 - beta2) * g * g);
    store<f32>(arg(1) + i, m);
    store<f32>(arg(2) + i, v);
    const p = <f64>load<f32>(arg(0) + i) * number(4);
    store<f32>(arg(0) + i, <f32>(p - (number(5) * <f64>m) / (Math.sqrt(<f64>v) / number(6) + number(2))));
  }
}
