const LANES = 64u;

struct Params {
  k: u32, //         [T, K*H]
  v: u32, //         [T, K*H]
  positions: u32, // [T]
  rows: u32, //      [T] sequences
  pageTable: u32, // [S, P]
  sequences: u32, //  S
  tableWidth: u32, // P
  pages: u32, //      of the layer's group
  kvHeads: u32, //    K
  headDim: u32, //    H
}

@group(0) @binding(2) var<storage, read_write> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;

fn bf16(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if (isNan(x)) {
    return (bits >> 16u) | 0x40u;
  }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u; // nearest, ties to even
}

/// A word of a row that begins at `start`: of a row that is odd, the last one is filled up with zeros.
fn wordOfRow(start: u32, word: u32, inverse: f32) -> u32 {
  if (CACHE_BITS == 32u) {
    return arena[start + word];
  }
  let perWord = 32u / CACHE_BITS;
  var bits = 0u;
  for (var i = 0u; i < perWord && word * perWord + i < p.headDim; i++) {
    let x = load(start + word * perWord + i);
    if (CACHE_BITS == 16u) {
      bits |= bf16(x) << (16u * i);
    } else {
      bits |= (u32(i32(round(x * inverse))) & 255u) << (8u * i);
    }
  }
  return bits;
}

/// A workgroup for the key and the value of each row and head.
@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let head = group.id.x;
  let row = group.id.y;
  let isValue = group.id.z == 1u;
  let position = loadInt(p.positions + row);
  let page = pageOf(loadInt(p.rows + row), position);
  let start = select(p.k, p.v, isValue) + (row * p.kvHeads + head) * p.headDim;
  var inverse = 1.0;
  if (CACHE_BITS == 8u) {
    var size = 0.0;
    for (var h = lane.index; h < p.headDim; h += LANES) {
      size = max(size, abs(load(start + h)));
    }
    size = maxOfLanes(size, lane);
    // A quotient that overflows, or has no number: all codes are zero.
    let fits = size > 3.7322e-37;
    inverse = select(0.0, divide(127.0, size), fits);
    if (page >= 0 && lane.index == 0u) {
      let scale = bitcast<u32>(select(0.0, divide(size, 127.0), fits));
      let at = scaleOf(u32(page), head, u32(position));
      if (isValue) {
        values[at] = scale;
      } else {
        keys[at] = scale;
      }
    }
  }
  if (page < 0) {
    return;
  }
  for (var word = lane.index; word < rowWords(); word += LANES) {
    let bits = wordOfRow(start, word, inverse);
    let at = rowOf(u32(page), head, u32(position)) + word * PAGE_ROWS;
    if (isValue) {
      values[at] = bits;
    } else {
      keys[at] = bits;
    }
  }
}
