import { arg, argF32, scratch } from "./jobs";
import { A_HEAD_DIM, A_KV_HEADS, A_POSITIONS, A_SEQUENCES, PAGE_ROWS, pageOf, readKeys, readValues } from "./kv";
import { exp4, splat, tanh4 } from "./math";
import {
  A_HEADS,
  A_OUT,
  A_PARTIALS,
  A_SEGMENTS,
  merge,
  STATE_OUT,
  STATE_SUM,
  stateBytes,
  storeOutput,
} from "./merge-attention";
import { product } from "./product";

const A_Q = 1;
const A_SCALE = 16;
const A_SOFT_CAP = 17; //   0: none
const A_WINDOW = 18; //     0: none
const A_ROW_BLOCKS = 19; // [blocks][first row, rows]: rows of one sequence
const A_TILE_HEADS = 22; // heads of one key/value head that are computed together

const SEGMENT: i32 = 256;

const TILE_ROWS: usize = 1024; // distance of two rows of scores

// Parts of a thread's scratch; H is at most 512.
const SCORES: usize = 0; //      [16][256]
const PAGE: usize = 16384; //    f32 [16][H] or [H][16]
const QUERIES: usize = 49152; // [16][H]
const STATES: usize = 81920; //  of 16 rows
const PARTS: usize = 122880; //  of a segment

// What the tile sees, of this thread.
let rows: u32 = 0;
let heads: u32 = 0;
let firstRow: u32 = 0;
let kvHead: u32 = 0;
let sequence: i32 = 0;

// @ts-ignore: decorator
@inline
function positionOf(row: u32): i32 {
  return load<i32>(arg(A_POSITIONS) + 4 * (firstRow + row));
}

/** The first position that a row at `position` sees. */
// @ts-ignore: decorator
@inline
function firstSeen(position: i32): i32 {
  const window = <i32>arg(A_WINDOW);
  return window > 0 && position >= window ? position - window + 1 : 0;
}

/**
 * Item: a block of rows for a tile of heads, of one segment where threads share them: then it leaves states to
 * mergeAttention. Arguments: out, q, those of kv.ts, N, scale, soft cap, window, row blocks, segments, partials, tile.
 */
export function attention(begin: u32, end: u32): void {
  const width = arg(A_HEAD_DIM);
  const tileHeads = <u32>arg(A_TILE_HEADS);
  const tiles = <u32>arg(A_HEADS) / tileHeads;
  const segments = <u32>arg(A_SEGMENTS);
  const bytes = stateBytes(width);
  for (let item = begin; item < end; item++) {
    const index = segments > 0 ? item / segments : item;
    const block = arg(A_ROW_BLOCKS) + 8 * (index / tiles);
    const head = (index % tiles) * tileHeads;
    firstRow = load<u32>(block);
    rows = load<u32>(block, 4);
    heads = tileHeads;
    kvHead = head / (<u32>arg(A_HEADS) / <u32>arg(A_KV_HEADS));
    sequence = load<i32>(arg(A_SEQUENCES) + 4 * firstRow);
    gatherQueries(head);
    if (segments > 0) {
      const segment = item % segments;
      attendSegment(segment);
      for (let i: u32 = 0; i < rows * heads; i++) {
        const place = ((firstRow + i / heads) * <u32>arg(A_HEADS) + head + (i % heads)) * segments + segment;
        memory.copy(arg(A_PARTIALS) + place * bytes, scratch + PARTS + i * bytes, bytes);
      }
      continue;
    }
    for (let i: u32 = 0; i < rows * heads; i++) store<f32>(scratch + STATES + i * bytes, 0, STATE_SUM);
    const last = positionOf(rows - 1);
    for (let segment = firstSeen(positionOf(0)) / SEGMENT; segment * SEGMENT <= last; segment++) {
      attendSegment(segment);
      for (let i: u32 = 0; i < rows * heads; i++) {
        merge(scratch + STATES + i * bytes, scratch + PARTS + i * bytes, width);
      }
    }
    for (let i: u32 = 0; i < rows * heads; i++) {
      const place = (firstRow + i / heads) * <u32>arg(A_HEADS) + head + (i % heads);
      storeOutput(scratch + STATES + i * bytes, arg(A_OUT) + 4 * place * width, width);
    }
  }
}

/** Copies the tile's queries side by side: rows, and in each the heads. */
function gatherQueries(head: u32): void {
  const bytes = 4 * arg(A_HEAD_DIM);
  for (let row: u32 = 0; row < rows; row++) {
    const from = arg(A_Q) + ((firstRow + row) * <u32>arg(A_HEADS) + head) * bytes;
    memory.copy(scratch + QUERIES + row * heads * bytes, from, heads * bytes);
  }
}

/** Leaves the states of one segment of positions at PARTS. */
function attendSegment(segment: i32): void {
  const width = arg(A_HEAD_DIM);
  const count = rows * heads;
  const bytes = stateBytes(width);
  memory.fill(scratch + PARTS, 0, count * bytes);
  const begin = max(segment * SEGMENT, firstSeen(positionOf(0)));
  const end = min((segment + 1) * SEGMENT, positionOf(rows - 1) + 1);
  if (begin >= end) return;
  const firstColumn = begin >> 4;
  const lastColumn = (end - 1) >> 4;
  for (let column = firstColumn; column <= lastColumn; column++) {
    const scores = scratch + SCORES + 64 * (column & 15);
    const page = pageOf(sequence, column);
    for (let i: usize = 0; i < count; i++) {
      for (let lane: usize = 0; lane < 64; lane += 16) {
        v128.store(scores + TILE_ROWS * i + lane, page < 0 ? splat(-Infinity) : splat(0));
      }
    }
    if (page < 0) continue;
    readKeys(page, kvHead, scratch + PAGE);
    product(scores, TILE_ROWS, scratch + QUERIES, 4 * width, 4, scratch + PAGE, 64, count, PAGE_ROWS, <u32>width);
  }
  const base = segment * SEGMENT;
  for (let i: u32 = 0; i < count; i++) {
    const position = positionOf(i / heads);
    const from = max(firstSeen(position), base) - base;
    const to = min(position + 1, end) - base;
    weigh(scratch + SCORES + TILE_ROWS * i, 16 * firstColumn - base, 16 * lastColumn + 16 - base, from, to, scratch + PARTS + i * bytes);
  }
  for (let column = firstColumn; column <= lastColumn; column++) {
    const page = pageOf(sequence, column);
    if (page < 0) continue;
    readValues(page, kvHead, scratch + PAGE);
    sumValues(16 * column, base, width);
  }
}

/**
 * Scores first .. last (multiples of 16, in the segment) of a row to weights: of those outside from .. to, which the row
 * does not see, zero.
 */
function weigh(scores: usize, first: i32, last: i32, from: i32, to: i32, state: usize): void {
  const scale = splat(argF32(A_SCALE));
  const cap = argF32(A_SOFT_CAP);
  let most = splat(-Infinity);
  for (let i = first; i < last; i += 4) {
    let score = f32x4.mul(v128.load(scores + 4 * i), scale);
    if (cap > 0) score = f32x4.mul(tanh4(f32x4.div(score, splat(cap))), splat(cap));
    if (i < from || i + 4 > to) {
      const at = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3));
      const seen = v128.and(i32x4.ge_s(at, i32x4.splat(from)), i32x4.lt_s(at, i32x4.splat(to)));
      score = v128.bitselect(score, splat(-Infinity), seen);
    }
    v128.store(scores + 4 * i, score);
    most = f32x4.max(most, score);
  }
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  if (f32x4.extract_lane(most, 0) == -Infinity) return;
  let sum = splat(0);
  for (let i = first; i < last; i += 4) {
    const weight = exp4(f32x4.sub(v128.load(scores + 4 * i), most));
    v128.store(scores + 4 * i, weight);
    sum = f32x4.add(sum, weight);
  }
  store<f32>(state, f32x4.extract_lane(most, 0));
  const odd = f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 3);
  store<f32>(state, f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2) + odd, STATE_SUM);
}

/** Adds the page's values, f32 [16][H] at PAGE, each row those that it sees: what lies behind may be anything. */
function sumValues(first: i32, base: i32, width: usize): void {
  const count = rows * heads;
  const bytes = stateBytes(width);
  const out = scratch + PARTS + STATE_OUT;
  const weights = scratch + SCORES + 4 * (first - base);
  if (firstSeen(positionOf(rows - 1)) <= first && positionOf(0) >= first + 15 && noneIsBlind(count, bytes)) {
    product(out, bytes, weights, TILE_ROWS, 4, scratch + PAGE, 4 * width, count, <u32>width, PAGE_ROWS);
    return;
  }
  for (let i: u32 = 0; i < count; i++) {
    const position = positionOf(i / heads);
    const from = max(firstSeen(position), first) - first;
    const to = min(position + 1, first + 16) - first;
    if (from >= to || load<f32>(scratch + PARTS + i * bytes, STATE_SUM) == 0) continue;
    const row = weights + TILE_ROWS * i + 4 * from;
    product(out + i * bytes, bytes, row, TILE_ROWS, 4, scratch + PAGE + 4 * width * from, 4 * width, 1, <u32>width, to - from);
  }
}

/** Whether each row has weights: one that saw nothing in the segment has scores there. */
function noneIsBlind(count: u32, bytes: usize): bool {
  for (let i: u32 = 0; i < count; i++) if (load<f32>(scratch + PARTS + i * bytes, STATE_SUM) == 0) return false;
  return true;
}
