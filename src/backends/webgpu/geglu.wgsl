const LANES = 64u;

struct Params {
  out: u32, //  [count]
  gate: u32, // [count]
  up: u32, //   [count]
  count: u32,
}

/// The tanh form: x (1 + tanh u) / 2 = x / (1 + exp(-2u)).
fn gelu(x: f32) -> f32 {
  let c = clamp(x, -20.0, 20.0); // beyond, gelu is x or 0; x³ may overflow
  let u = 0.7978845608 * fma(0.044715 * c * c, c, c); // sqrt(2/π)
  return x / (1.0 + exp32(-2.0 * u));
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i < p.count) {
    store(p.out + i, gelu(load(p.gate + i)) * load(p.up + i));
  }
}
