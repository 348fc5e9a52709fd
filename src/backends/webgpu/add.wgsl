const LANES = 64u;

struct Params {
  out: u32, // [count]
  a: u32, //   [count]
  b: u32, //   [count]
  count: u32,
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i < p.count) {
    store(p.out + i, load(p.a + i) + load(p.b + i));
  }
}
