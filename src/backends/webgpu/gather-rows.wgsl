const LANES = 64u;

struct Params {
  out: u32, //  [R, D]
  x: u32, //    [T, D]
  rows: u32, // [R]
  outRows: u32, // R
  inRows: u32, //  T
  width: u32, //   D
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i >= p.outRows * p.width) {
    return;
  }
  let row = arena[p.rows + i / p.width]; // a negative one is large
  if (row < p.inRows) {
    arena[p.out + i] = arena[p.x + row * p.width + i % p.width];
  } else {
    arena[p.out + i] = 0u;
  }
}
