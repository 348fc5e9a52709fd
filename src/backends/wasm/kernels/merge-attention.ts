// Segments of 256 positions, summed up apart and merged in order, by one thread or several.
import { arg } from "./jobs";
import { exp4, madd, splat } from "./math";
import { A_HEAD_DIM } from "./kv";

export const A_OUT = 0;
export const A_HEADS = 15;
export const A_SEGMENTS = 20; // that threads share; 0: none
export const A_PARTIALS = 21;

// A state: the largest score, the sum of weights relative to it, padding to 16 bytes, and the sum of values.
export const STATE_SUM: usize = 4;
export const STATE_OUT: usize = 16;

// @ts-ignore: decorator
@inline
export function stateBytes(width: usize): usize {
  return STATE_OUT + ((4 * width + 15) & ~15);
}

/** Adds what a segment summed up to the state. A sum of 0: no key seen. */
export function merge(state: usize, segment: usize, width: usize): void {
  const sum = load<f32>(segment, STATE_SUM);
  if (sum == 0) return;
  const before = load<f32>(state, STATE_SUM);
  if (before == 0) {
    memory.copy(state, segment, stateBytes(width));
    return;
  }
  const max = load<f32>(state);
  const other = load<f32>(segment);
  const most: f32 = max > other ? max : other;
  const factors = exp4(f32x4(max - most, other - most, 0, 0));
  const keep = f32x4.extract_lane(factors, 0);
  const take = f32x4.extract_lane(factors, 1);
  store<f32>(state, most);
  store<f32>(state, before * keep + sum * take, STATE_SUM);
  for (let i: usize = 0; i < 4 * width; i += 16) {
    const kept = f32x4.mul(v128.load(state + STATE_OUT + i), splat(keep));
    v128.store(state + STATE_OUT + i, madd(v128.load(segment + STATE_OUT + i), splat(take), kept));
  }
}

/** Writes a row's output: the weighted mean of its values, or zeros. */
export function storeOutput(state: usize, out: usize, width: usize): void {
  const sum = load<f32>(state, STATE_SUM);
  if (sum == 0) {
    memory.fill(out, 0, 4 * width);
    return;
  }
  for (let i: usize = 0; i < 4 * width; i += 4) store<f32>(out + i, load<f32>(state + STATE_OUT + i) / sum);
}

/** Item: a head of a row, after attention has left its segments' states [T, N][segments]. */
export function mergeAttention(begin: u32, end: u32): void {
  const width = arg(A_HEAD_DIM);
  const segments = arg(A_SEGMENTS);
  const bytes = stateBytes(width);
  for (let item = begin; item < end; item++) {
    const first = arg(A_PARTIALS) + item * segments * bytes;
    for (let s: usize = 1; s < segments; s++) merge(first, first + s * bytes, width);
    storeOutput(first, arg(A_OUT) + 4 * item * width, width);
  }
}
