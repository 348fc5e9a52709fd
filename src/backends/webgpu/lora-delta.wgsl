// Both halves of out += scale · B (A x): `inner` computes A x into memory of the backend's own, `outer` adds the rest.

const LANES = 64u;

struct Params {
  out: u32, //   [T, N]
  x: u32, //     [T, K]
  a: u32, //     [r, K]
  b: u32, //     [N, r]
  inner: u32, // [T, r]
  rows: u32, //     T
  width: u32, //    K
  outWidth: u32, // N
  rank: u32, //     r
  scale: f32,
}

/// A workgroup for each element.
@compute @workgroup_size(LANES)
fn inner(lane: Lane, group: Group) {
  let i = groupOf(group);
  if (i >= p.rows * p.rank) {
    return;
  }
  let x = p.x + i / p.rank * p.width;
  let a = p.a + i % p.rank * p.width;
  var sum = 0.0;
  for (var k = lane.index; k < p.width; k += LANES) {
    sum = fma(load(x + k), load(a + k), sum);
  }
  sum = sumOfLanes(sum, lane);
  if (lane.index == 0u) {
    store(p.inner + i, sum);
  }
}

@compute @workgroup_size(LANES)
fn outer(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i >= p.rows * p.outWidth) {
    return;
  }
  let x = p.inner + i / p.outWidth * p.rank;
  let b = p.b + i % p.outWidth * p.rank;
  var sum = 0.0;
  for (var r = 0u; r < p.rank; r++) {
    sum = fma(load(x + r), load(b + r), sum);
  }
  store(p.out + i, fma(p.scale, sum, load(p.out + i)));
}
