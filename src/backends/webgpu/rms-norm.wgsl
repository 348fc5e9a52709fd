const LANES = 64u;

struct Params {
  out: u32, //    [T, D]
  x: u32, //      [T, D]
  weight: u32, // [D], offset from 1
  rows: u32, //   T
  width: u32, //  D
  eps: f32,
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let row = groupOf(group);
  if (row >= p.rows) {
    return;
  }
  let start = row * p.width;
  var squares = 0.0;
  for (var d = lane.index; d < p.width; d += LANES) {
    let value = load(p.x + start + d);
    squares = fma(value, value, squares);
  }
  let factor = 1.0 / sqrt(sumOfLanes(squares, lane) / f32(p.width) + p.eps);
  for (var d = lane.index; d < p.width; d += LANES) {
    store(p.out + start + d, load(p.x + start + d) * factor * (1.0 + load(p.weight + d)));
  }
}
