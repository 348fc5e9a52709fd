// Of each row of logits what its log-probabilities are relative to: the largest logit and the logarithm of the sum of
// exp(logit - largest); and the lowest id that has the largest.

struct Params {
  logits: u32, // [R, V]
  width: u32, //  V
  stats: u32, //  [R, 3]: largest, logarithm, id
}

var<workgroup> topId: atomic<u32>;

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let row = groupOf(group);
  readLogits(p.logits + row * p.width, p.width, 1.0);
  if (lane.index == 0u) {
    atomicStore(&topId, 0xffffffffu);
    atomicStore(&low[0], 0u);
    atomicStore(&middle[0], 0u);
    atomicStore(&high[0], 0u);
  }
  let top = findTopKey(lane);
  var own = vec3<u32>(0u);
  for (var i = lane.index; i < count; i += LANES) {
    let key = keyAt(i);
    own += weightDigits(key);
    if (key == top) {
      atomicMin(&topId, i);
    }
  }
  atomicAdd(&low[0], own.x);
  atomicAdd(&middle[0], own.y);
  atomicAdd(&high[0], own.z);
  workgroupBarrier();
  if (lane.index == 0u) {
    let at = p.stats + 3u * row;
    store(at, floatOf(top));
    store(at + 1u, log32(bigFloat(bucketSum(0u))));
    arena[at + 2u] = atomicLoad(&topId);
  }
}
