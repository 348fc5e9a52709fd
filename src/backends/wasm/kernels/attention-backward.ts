// Gradients of attention in a step whose keys are all its own. The first kernel goes over the keys of a block of queries
// twice: for the softmax's maximum and sum and for the mean of dp, then for dq. The second goes over the queries of a block
// of keys, and makes scores anew.
import { arg, argF32, scratch } from "./jobs";
import { exp4, splat, tanh4 } from "./math";
import { product } from "./product";

const A_DQ = 0;
const A_DK = 1;
const A_DV = 2;
const A_DOUT = 3;
const A_Q = 4;
const A_K = 5;
const A_V = 6;
const A_QUERY_POSITIONS = 7;
const A_KEY_POSITIONS = 8;
const A_HEADS = 9;
const A_KV_HEADS = 10;
const A_HEAD_DIM = 11;
const A_SCALE = 12;
const A_SOFT_CAP = 13; //   0: none
const A_WINDOW = 14; //     0: none
const A_STATES = 15; //     f32 [R, N, 4]: maximum, inverse sum, mean of dp
const A_BLOCKS = 16; //     4 words each: first row and rows, of the other side first and behind the last that it sees
const A_TILE_HEADS = 17; // heads of one key/value head that are computed together

const KEYS: u32 = 16; // of a tile; rows × heads of queries are 16 at most, too

// Parts of a thread's scratch; H is at most 512.
const SCORES: usize = 0; //      [16 queries][16 keys], then ds
const SLOPES: usize = 1024; //   dp, then weights
const QUERIES: usize = 4096; //  [16][H]
const OUTS: usize = 36864; //    of dOut
const KEYS_T: usize = 69632; //  [H][16]
const VALUES_T: usize = 102400;
const SUMS: usize = 135168; //   dq [16][H]

// The tile at work, of this thread.
let queryRow: u32 = 0;
let queryRows: u32 = 0;
let head: u32 = 0;
let keyRow: u32 = 0;
let keyRows: u32 = 0;

// @ts-ignore: decorator
@inline
function kvHead(): u32 {
  return head / (<u32>arg(A_HEADS) / <u32>arg(A_KV_HEADS));
}

// @ts-ignore: decorator
@inline
function keyStride(): usize {
  return 4 * arg(A_KV_HEADS) * arg(A_HEAD_DIM);
}

// @ts-ignore: decorator
@inline
function keyOffset(): usize {
  return keyRow * keyStride() + 4 * kvHead() * arg(A_HEAD_DIM);
}

/** Copies the tile's queries and gradients side by side. */
function gatherQueries(): void {
  const bytes = 4 * arg(A_HEAD_DIM) * arg(A_TILE_HEADS);
  for (let row: u32 = 0; row < queryRows; row++) {
    const from = 4 * ((queryRow + row) * <u32>arg(A_HEADS) + head) * arg(A_HEAD_DIM);
    memory.copy(scratch + QUERIES + row * bytes, arg(A_Q) + from, bytes);
    memory.copy(scratch + OUTS + row * bytes, arg(A_DOUT) + from, bytes);
  }
}

/** The tile's keys and values as [H][16], filled up with zeros. */
function gatherKeys(): void {
  const width = arg(A_HEAD_DIM);
  if (keyRows < KEYS) {
    memory.fill(scratch + KEYS_T, 0, 64 * width);
    memory.fill(scratch + VALUES_T, 0, 64 * width);
  }
  for (let t: u32 = 0; t < keyRows; t++) {
    const from = keyOffset() + t * keyStride();
    for (let h: usize = 0; h < width; h++) {
      store<u32>(scratch + KEYS_T + 64 * h + 4 * t, load<u32>(arg(A_K) + from + 4 * h));
      store<u32>(scratch + VALUES_T + 64 * h + 4 * t, load<u32>(arg(A_V) + from + 4 * h));
    }
  }
}

/** Scores, capped and minus infinity where not seen, and dp of the tile. */
function score(): void {
  const width = arg(A_HEAD_DIM);
  const count = queryRows * <u32>arg(A_TILE_HEADS);
  memory.fill(scratch + SCORES, 0, 64 * count);
  memory.fill(scratch + SLOPES, 0, 64 * count);
  product(scratch + SCORES, 64, scratch + QUERIES, 4 * width, 4, scratch + KEYS_T, 64, count, KEYS, <u32>width);
  product(scratch + SLOPES, 64, scratch + OUTS, 4 * width, 4, scratch + VALUES_T, 64, count, KEYS, <u32>width);
  const cap = argF32(A_SOFT_CAP);
  const window = <i32>arg(A_WINDOW);
  for (let i: u32 = 0; i < count; i++) {
    const position = load<i32>(arg(A_QUERY_POSITIONS) + 4 * (queryRow + i / <u32>arg(A_TILE_HEADS)));
    const row = scratch + SCORES + 64 * i;
    for (let lane: usize = 0; lane < 64; lane += 16) {
      let value = f32x4.mul(v128.load(row + lane), splat(argF32(A_SCALE)));
      if (cap > 0) value = f32x4.mul(tanh4(f32x4.div(value, splat(cap))), splat(cap));
      v128.store(row + lane, value);
    }
    for (let t: u32 = 0; t < KEYS; t++) {
      const behind = t < keyRows ? position - load<i32>(arg(A_KEY_POSITIONS) + 4 * (keyRow + t)) : -1;
      if (behind < 0 || (window > 0 && behind >= window)) store<f32>(row + 4 * t, -Infinity);
    }
  }
}

// @ts-ignore: decorator
@inline
function stateOf(i: u32): usize {
  const heads = <u32>arg(A_TILE_HEADS);
  return arg(A_STATES) + 16 * ((queryRow + i / heads) * <u32>arg(A_HEADS) + head + (i % heads));
}

/** Takes the tile into the states: maximum, sum of weights, sum of weights times dp. */
function accumulate(): void {
  for (let i: u32 = 0; i < queryRows * <u32>arg(A_TILE_HEADS); i++) {
    const row = scratch + SCORES + 64 * i;
    let most: f32 = load<f32>(stateOf(i));
    const before = most;
    for (let t: usize = 0; t < 64; t += 4) most = max(most, load<f32>(row + t));
    if (most == -Infinity) continue;
    const keep = before == -Infinity ? <f32>0 : f32x4.extract_lane(exp4(splat(before - most)), 0);
    let sum = splat(0);
    let mean = splat(0);
    for (let lane: usize = 0; lane < 64; lane += 16) {
      const weight = exp4(f32x4.sub(v128.load(row + lane), splat(most)));
      sum = f32x4.add(sum, weight);
      mean = f32x4.add(mean, f32x4.mul(weight, v128.load(scratch + SLOPES + 64 * i + lane)));
    }
    store<f32>(stateOf(i), most);
    store<f32>(stateOf(i), load<f32>(stateOf(i), 4) * keep + lanes(sum), 4);
    store<f32>(stateOf(i), load<f32>(stateOf(i), 8) * keep + lanes(mean), 8);
  }
}

function lanes(v: v128): f32 {
  const odd = f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3);
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + odd;
}

/** Scores to ds · scale, dp to weights. */
function differentiate(): void {
  const cap = argF32(A_SOFT_CAP);
  for (let i: u32 = 0; i < queryRows * <u32>arg(A_TILE_HEADS); i++) {
    const max = splat(load<f32>(stateOf(i)));
    const inverse = splat(load<f32>(stateOf(i), 4));
    const mean = splat(load<f32>(stateOf(i), 8));
    const isBlind = load<f32>(stateOf(i), 4) == 0;
    for (let lane: usize = 0; lane < 64; lane += 16) {
      const scores = scratch + SCORES + 64 * i + lane;
      const slopes = scratch + SLOPES + 64 * i + lane;
      const capped = v128.load(scores);
      const seen = f32x4.ne(capped, splat(-Infinity));
      const share = isBlind ? splat(0) : f32x4.mul(exp4(f32x4.sub(capped, max)), inverse);
      let ds = f32x4.mul(f32x4.mul(share, f32x4.sub(v128.load(slopes), mean)), splat(argF32(A_SCALE)));
      if (cap > 0) {
        const ratio = f32x4.div(capped, splat(cap));
        ds = f32x4.mul(ds, f32x4.sub(splat(1), f32x4.mul(ratio, ratio)));
      }
      v128.store(scores, v128.and(ds, seen));
      v128.store(slopes, share);
    }
  }
}

/** Item: a block of queries for a tile of heads. */
export function attentionBackwardQueries(begin: u32, end: u32): void {
  const width = arg(A_HEAD_DIM);
  const tileHeads = <u32>arg(A_TILE_HEADS);
  const tiles = <u32>arg(A_HEADS) / tileHeads;
  for (let item = begin; item < end; item++) {
    const block = arg(A_BLOCKS) + 16 * (item / tiles);
    queryRow = load<u32>(block);
    queryRows = load<u32>(block, 4);
    head = (item % tiles) * tileHeads;
    const count = queryRows * tileHeads;
    gatherQueries();
    for (let i: u32 = 0; i < count; i++) {
      store<f32>(stateOf(i), -Infinity);
      store<u64>(stateOf(i), 0, 4);
    }
    memory.fill(scratch + SUMS, 0, 4 * count * width);
    const last = load<u32>(block, 12);
    for (keyRow = load<u32>(block, 8); keyRow < last; keyRow += KEYS) {
      keyRows = last - keyRow < KEYS ? last - keyRow : KEYS;
      gatherKeys();
      score();
      accumulate();
    }
    for (let i: u32 = 0; i < count; i++) {
      const sum = load<f32>(stateOf(i), 4);
      const inverse: f32 = sum == 0 ? 0 : 1 / sum;
      store<f32>(stateOf(i), inverse, 4);
      store<f32>(stateOf(i), load<f32>(stateOf(i), 8) * inverse, 8);
    }
    for (keyRow = load<u32>(block, 8); keyRow < last; keyRow += KEYS) {
      keyRows = last - keyRow < KEYS ? last - keyRow : KEYS;
      gatherKeys();
      score();
      differentiate();
      const keys = arg(A_K) + keyOffset();
      product(scratch + SUMS, 4 * width, scratch + SCORES, 64, 4, keys, keyStride(), count, <u32>width, keyRows);
    }
    const bytes = 4 * width * tileHeads;
    for (let row: u32 = 0; row < queryRows; row++) {
      const to = 4 * ((queryRow + row) * <u32>arg(A_HEADS) + head) * width;
      memory.copy(arg(A_DQ) + to, scratch + SUMS + row * bytes, bytes);
    }
  }
}

/** Item: a block of keys for a key/value head. dk and dv are zero before. */
export function attentionBackwardKeys(begin: u32, end: u32): void {
  const width = arg(A_HEAD_DIM);
  const kvHeads = <u32>arg(A_KV_HEADS);
  const tileHeads = <u32>arg(A_TILE_HEADS);
  const group = <u32>arg(A_HEADS) / kvHeads;
  const most = KEYS / tileHeads;
  for (let item = begin; item < end; item++) {
    const block = arg(A_BLOCKS) + 16 * (item / kvHeads);
    keyRow = load<u32>(block);
    keyRows = load<u32>(block, 4);
    head = (item % kvHeads) * group;
    gatherKeys();
    const at = keyOffset();
    const last = load<u32>(block, 12);
    for (queryRow = load<u32>(block, 8); queryRow < last; queryRow += most) {
      queryRows = last - queryRow < most ? last - queryRow : most;
      for (let tile: u32 = 0; tile < group; tile += tileHeads) {
        head = (item % kvHeads) * group + tile;
        gatherQueries();
        score();
        differentiate();
        const count = queryRows * tileHeads;
        const stride = keyStride();
        product(arg(A_DK) + at, stride, scratch + SCORES, 4, 64, scratch + QUERIES, 4 * width, keyRows, <u32>width, count);
        product(arg(A_DV) + at, stride, scratch + SLOPES, 4, 64, scratch + OUTS, 4 * width, keyRows, <u32>width, count);
      }
    }
  }
}
