// Sums and maxima over a workgroup of LANES, in workgroup memory.

struct Lane {
  @builtin(local_invocation_index) index: u32,
}

var<workgroup> slots: array<f32, LANES>;

fn sumOfLanes(value: f32, lane: Lane) -> f32 {
  slots[lane.index] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane.index < half) {
      slots[lane.index] += slots[lane.index + half];
    }
    workgroupBarrier();
  }
  return workgroupUniformLoad(&slots[0]);
}

fn maxOfLanes(value: f32, lane: Lane) -> f32 {
  slots[lane.index] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane.index < half) {
      slots[lane.index] = max(slots[lane.index], slots[lane.index + half]);
    }
    workgroupBarrier();
  }
  return workgroupUniformLoad(&slots[0]);
}
