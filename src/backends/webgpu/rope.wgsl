// Angles by the digits of a position, base 256: cosines and sines of digit · 256^place · frequency come from a table that
// was computed in f64, and rotations are put one behind the other. WGSL's own cos and sin are off by 2^-11.

const LANES = 64u;
const PLACES = 3u;

struct Params {
  x: u32, //         [T, heads * H]
  positions: u32, // [T]
  rows: u32, //      T
  heads: u32,
  half: u32, //      H/2
}

@group(0) @binding(2) var<storage, read> table: array<vec2<f32>>; // [PLACES, 256, H/2] cosine and sine

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i >= p.rows * p.heads * p.half) {
    return;
  }
  let pair = i % p.half; // split halves: i turns with i + H/2
  let head = i / p.half; // of all rows
  let position = arena[p.positions + head / p.heads];
  var turn = vec2<f32>(1.0, 0.0);
  for (var place = 0u; place < PLACES; place++) {
    let digit = (position >> (8u * place)) & 255u;
    let t = table[(place * 256u + digit) * p.half + pair];
    turn = vec2<f32>(turn.x * t.x - turn.y * t.y, turn.y * t.x + turn.x * t.y);
  }
  let at = p.x + head * 2u * p.half + pair;
  let first = load(at);
  let second = load(at + p.half);
  store(at, first * turn.x - second * turn.y);
  store(at + p.half, second * turn.x + first * turn.y);
}
