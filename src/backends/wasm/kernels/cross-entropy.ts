import { arg, argF32 } from "./jobs";
import { exp4, splat } from "./math";

const BLOCK: u32 = 4096;

/**
 * Logits to their gradients, in place. Item: 4096 of a row. Arguments: logits [R, V], V, soft cap or 0, of each row its
 * maximum, the inverse of its sum, its weight and its target, 4 words [R].
 */
export function logitSlopes(begin: u32, end: u32): void {
  const width = <u32>arg(1);
  const cap = argF32(2);
  const blocks = (width + BLOCK - 1) / BLOCK;
  for (let item = begin; item < end; item++) {
    const row = arg(3) + 16 * (item / blocks);
    const first = (item % blocks) * BLOCK;
    const count: u32 = width - first < BLOCK ? width - first : BLOCK;
    const logits = arg(0) + 4 * ((item / blocks) * width + first);
    const max = splat(load<f32>(row));
    const factor = splat(load<f32>(row, 4));
    const weight = splat(load<f32>(row, 8));
    const target = load<u32>(row, 12) - first;
    for (let i: u32 = 0; i < count; i += 4) {
      const isWhole = i + 4 <= count;
      const logit = isWhole ? v128.load(logits + 4 * i) : loadPartial(logits + 4 * i, count - i);
      let share = f32x4.mul(exp4(f32x4.sub(logit, max)), factor);
      if (target - i < 4) {
        const isTarget = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(target - i));
        share = f32x4.sub(share, v128.and(isTarget, splat(1)));
      }
      let value = f32x4.mul(weight, share);
      if (cap > 0) {
        const ratio = f32x4.div(logit, splat(cap));
        value = f32x4.mul(value, f32x4.sub(splat(1), f32x4.mul(ratio, ratio)));
      }
      if (isWhole) v128.store(logits + 4 * i, value);
      else storePartial(logits + 4 * i, value, count - i);
    }
  }
}

function loadPartial(from: usize, count: u32): v128 {
  let value = v128.load32_splat(from);
  if (count > 1) value = f32x4.replace_lane(value, 1, load<f32>(from, 4));
  if (count > 2) value = f32x4.replace_lane(value, 2, load<f32>(from, 8));
  return value;
}

function storePartial(to: usize, value: v128, count: u32): void {
  store<f32>(to, f32x4.extract_lane(value, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(value, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(value, 2), 8);
}
