// Sums and maxima over a workgroup of LANES: within subgroups by their own instructions, then over the subgroups.

struct Lane {
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) subgroupLane: u32,
}

var<workgroup> slots: array<f32, LANES>;

fn sumOfLanes(value: f32, lane: Lane) -> f32 {
  let part = subgroupAdd(value);
  if (lane.subgroupLane == 0u) {
    slots[lane.index / lane.subgroupSize] = part;
  }
  workgroupBarrier();
  if (lane.index == 0u) {
    var sum = 0.0;
    for (var i = 0u; i < LANES / lane.subgroupSize; i++) {
      sum += slots[i];
    }
    slots[0] = sum;
  }
  return workgroupUniformLoad(&slots[0]);
}

fn maxOfLanes(value: f32, lane: Lane) -> f32 {
  let part = subgroupMax(value);
  if (lane.subgroupLane == 0u) {
    slots[lane.index / lane.subgroupSize] = part;
  }
  workgroupBarrier();
  if (lane.index == 0u) {
    var largest = slots[0];
    for (var i = 1u; i < LANES / lane.subgroupSize; i++) {
      largest = max(largest, slots[i]);
    }
    slots[0] = largest;
  }
  return workgroupUniformLoad(&slots[0]);
}
