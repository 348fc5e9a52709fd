import { arg } from "./jobs";
import {
  A_DTYPE,
  A_HEAD_DIM,
  A_KEY_SCALES,
  A_KEYS,
  A_KV_HEADS,
  A_POSITIONS,
  A_SEQUENCES,
  A_VALUE_SCALES,
  A_VALUES,
  elementBytes,
  KV_BF16,
  KV_F32,
  PAGE_ROWS,
  pageOf,
} from "./kv";

/** Item: a row. Arguments: k, v, then those of kv.ts. */
export function writeKv(begin: u32, end: u32): void {
  const heads = <u32>arg(A_KV_HEADS);
  const width = arg(A_HEAD_DIM);
  const bytes = elementBytes(<u32>arg(A_DTYPE));
  for (let t = begin; t < end; t++) {
    const position = load<i32>(arg(A_POSITIONS) + 4 * t);
    const page = pageOf(load<i32>(arg(A_SEQUENCES) + 4 * t), position >> 4);
    if (page < 0) continue;
    const row = <usize>(position & 15);
    for (let head: u32 = 0; head < heads; head++) {
      const from = 4 * (t * heads + head) * width;
      const index = page * heads + head;
      const first = index * width * PAGE_ROWS * bytes;
      const scale = 64 * index + 4 * row;
      writeVector(arg(0) + from, arg(A_KEYS) + first + row * bytes, PAGE_ROWS * bytes, arg(A_KEY_SCALES) + scale);
      writeVector(arg(1) + from, arg(A_VALUES) + first + row * width * bytes, bytes, arg(A_VALUE_SCALES) + scale);
    }
  }
}

/** H floats to elements that are `step` bytes apart. */
function writeVector(x: usize, to: usize, step: usize, scale: usize): void {
  const dtype = <u32>arg(A_DTYPE);
  const last = x + 4 * arg(A_HEAD_DIM);
  if (dtype == KV_F32) {
    for (; x < last; x += 4, to += step) store<u32>(to, load<u32>(x));
  } else if (dtype == KV_BF16) {
    for (; x < last; x += 4, to += step) store<u16>(to, bf16(load<u32>(x)));
  } else {
    let max: f32 = 0;
    for (let i = x; i < last; i += 4) max = Mathf.max(max, Mathf.abs(load<f32>(i)));
    const inverse: f32 = 127 / max;
    const isUsable = inverse < Infinity;
    store<f32>(scale, isUsable ? max / 127 : max == max ? <f32>0 : <f32>NaN);
    for (; x < last; x += 4, to += step) {
      store<i8>(to, isUsable ? <i8>(<i32>nearest<f32>(load<f32>(x) * inverse)) : 0);
    }
  }
}

/** Rounds half to even; NaN stays NaN. */
export function bf16(bits: u32): u16 {
  if ((bits & 0x7fffffff) > 0x7f800000) return <u16>((bits >> 16) | 0x40);
  return <u16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
