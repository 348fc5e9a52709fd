// Attention of one row and one query head a workgroup, over blocks of 64 keys anchored at position 0: scores of a block, a
// lane each; the running maximum and the sums relative to it; then the values, a lane for some words of the output.
// Only keys that a row sees are touched, so that a number that is none stays with the rows that see it.

const LANES = 64u;
const BLOCK = 64u;

struct Params {
  out: u32, //       [T, N*H]
  q: u32, //         [T, N*H]
  positions: u32, // [T]
  rows: u32, //      [T] sequences
  pageTable: u32, // [S, P]
  sequences: u32, //  S
  tableWidth: u32, // P
  pages: u32, //      of the layer's group
  kvHeads: u32, //    K
  headDim: u32, //    H
  heads: u32, //      N
  window: u32, //     0: none
  scale: f32,
  softCap: f32, //    0: none
}

@group(0) @binding(2) var<storage, read_write> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;

const PER_WORD = 32u / CACHE_BITS; // elements

var<workgroup> query: array<f32, ROW_WORDS * PER_WORD>;
var<workgroup> weightOf: array<f32, BLOCK>;
var<workgroup> valueAt: array<u32, BLOCK>;
var<workgroup> valueScale: array<f32, BLOCK>;
var<workgroup> range: vec2<i32>; // first position that is seen, and the last

/// The elements of a word, before the scale of int8.
fn elements(word: u32) -> array<f32, PER_WORD> {
  var result: array<f32, PER_WORD>;
  for (var i = 0u; i < PER_WORD; i++) {
    if (CACHE_BITS == 32u) {
      result[i] = bitcast<f32>(word);
    } else if (CACHE_BITS == 16u) {
      result[i] = bitcast<f32>((word >> (16u * i)) << 16u);
    } else {
      result[i] = f32(bitcast<i32>(word << (24u - 8u * i)) >> 24u);
    }
  }
  return result;
}

fn scoreOf(page: u32, head: u32, position: u32) -> f32 {
  let at = rowOf(page, head, position);
  var dot = 0.0;
  for (var word = 0u; word < ROW_WORDS; word++) {
    let key = elements(keys[at + word * PAGE_ROWS]);
    for (var i = 0u; i < PER_WORD; i++) {
      dot = fma(query[word * PER_WORD + i], key[i], dot);
    }
  }
  if (CACHE_BITS == 8u) {
    dot *= bitcast<f32>(keys[scaleOf(page, head, position)]);
  }
  let score = dot * p.scale;
  return select(score, tanh32(score / p.softCap) * p.softCap, p.softCap > 0.0);
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let n = group.id.x;
  let row = group.id.y;
  let head = n * p.kvHeads / p.heads;
  let start = (row * p.heads + n) * p.headDim; // in q and out
  for (var h = lane.index; h < ROW_WORDS * PER_WORD; h += LANES) {
    query[h] = 0.0;
    if (h < p.headDim) {
      query[h] = load(p.q + start + h);
    }
  }
  let sequence = loadInt(p.rows + row);
  if (lane.index == 0u) {
    let position = min(loadInt(p.positions + row), i32(p.tableWidth * PAGE_ROWS) - 1);
    let behind = select(position, i32(p.window) - 1, p.window > 0u);
    range = vec2<i32>(max(0, loadInt(p.positions + row) - behind), position);
  }
  let seen = workgroupUniformLoad(&range);

  var largest = -3.0e38;
  var total = 0.0;
  var sums = array<array<f32, PER_WORD>, WORDS_A_LANE>();
  for (var block = seen.x / i32(BLOCK); block <= seen.y / i32(BLOCK) && seen.y >= 0; block++) {
    let position = block * i32(BLOCK) + i32(lane.index);
    var page = -1;
    if (position >= seen.x && position <= seen.y) {
      page = pageOf(sequence, position);
    }
    var score = -3.0e38;
    valueAt[lane.index] = 0xffffffffu;
    if (page >= 0) {
      score = scoreOf(u32(page), head, u32(position));
      valueAt[lane.index] = rowOf(u32(page), head, u32(position));
      if (CACHE_BITS == 8u) {
        valueScale[lane.index] = bitcast<f32>(values[scaleOf(u32(page), head, u32(position))]);
      }
    }
    let before = largest;
    largest = max(before, maxOfLanes(score, lane));
    var weight = 0.0;
    if (page >= 0) {
      weight = exp32(score - largest);
    }
    weightOf[lane.index] = weight;
    let shrink = exp32(before - largest);
    total = fma(total, shrink, sumOfLanes(weight, lane)); // its barrier is the one that weightOf needs
    for (var i = 0u; i < WORDS_A_LANE; i++) {
      for (var e = 0u; e < PER_WORD; e++) {
        sums[i][e] *= shrink;
      }
    }
    for (var j = 0u; j < BLOCK; j++) {
      if (valueAt[j] == 0xffffffffu) {
        continue;
      }
      let factor = select(weightOf[j], weightOf[j] * valueScale[j], CACHE_BITS == 8u);
      for (var i = 0u; i < WORDS_A_LANE; i++) {
        let word = lane.index + i * LANES;
        if (word < ROW_WORDS) {
          let value = elements(values[valueAt[j] + word * PAGE_ROWS]);
          for (var e = 0u; e < PER_WORD; e++) {
            sums[i][e] = fma(factor, value[e], sums[i][e]);
          }
        }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < WORDS_A_LANE; i++) {
    for (var e = 0u; e < PER_WORD; e++) {
      let h = (lane.index + i * LANES) * PER_WORD + e;
      if (h < p.headDim) {
        // A row that sees no key becomes zero.
        store(p.out + start + h, select(sums[i][e] / total, 0.0, total == 0.0));
      }
    }
  }
}
