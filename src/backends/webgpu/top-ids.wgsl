// The n most likely ids of each row and their log-probabilities, most likely first. n is 1 at least.

struct Params {
  topIds: u32, //      [R, n]
  topLogProbs: u32, // [R, n]
  logits: u32, //      [R, V]
  width: u32, //       V
  n: u32,
  stats: u32, //       [R, 3]
  scratch: u32, //     [R, 2n]
}

var<workgroup> listed: atomic<u32>;

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let row = groupOf(group);
  readLogits(p.logits + row * p.width, p.width, 1.0);
  if (lane.index == 0u) {
    kept = Kept(0u, 0u);
    atomicStore(&listed, 0u);
  }
  findTopKey(lane);
  descend(lane, p.n, vec3<u32>(0u), false);
  let last = search.prefix;
  let above = search.countAbove; // ids before the equals at the end
  let list = p.scratch + row * 2u * p.n;
  for (var i = lane.index; i < count; i += LANES) {
    let key = keyAt(i);
    if (key > last) {
      let slot = atomicAdd(&listed, 1u);
      arena[list + 2u * slot] = key;
      arena[list + 2u * slot + 1u] = i;
    }
  }
  storageBarrier();
  workgroupBarrier();
  for (var i = lane.index; i < above; i += LANES) {
    let key = arena[list + 2u * i];
    let id = arena[list + 2u * i + 1u];
    var rank = 0u;
    for (var j = 0u; j < above; j++) {
      let other = arena[list + 2u * j];
      rank += select(0u, 1u, other > key || (other == key && arena[list + 2u * j + 1u] < id));
    }
    write(row, rank, key, id);
  }
  let part = countTies(lane, last);
  var rank = above + tiesBefore[lane.index];
  for (var i = part.x; i < part.y; i++) {
    if (keyAt(i) == last) {
      if (rank < p.n) {
        write(row, rank, last, i);
      }
      rank += 1u;
    }
  }
}

fn write(row: u32, rank: u32, key: u32, id: u32) {
  let stats = p.stats + 3u * row;
  arena[p.topIds + row * p.n + rank] = id;
  store(p.topLogProbs + row * p.n + rank, floatOf(key) - load(stats) - load(stats + 1u));
}
