const LANES = 64u;

struct Params {
  x: u32, // [count]
  count: u32,
  cap: f32,
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i < p.count) {
    store(p.x + i, tanh32(load(p.x + i) / p.cap) * p.cap);
  }
}
