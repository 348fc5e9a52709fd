// One id a row and workgroup: mask, bias and penalties; then top-k, top-p and min-p narrow what is kept, and the draw
// walks over that. Once few enough are kept they are copied to a list.

const LIST = 1024u;

struct Params {
  out: u32, //     [R]
  logits: u32, //  [R, V]
  width: u32, //   V
  scratch: u32, // [R, V + 2 LIST]
  rows: u32, //    of `data` at which the first row's record begins
}

/// How a row is sampled, and where its lists begin in `data`: sample.ts has the other end.
struct Record {
  mask: u32, // none: 2^32 - 1
  bias: u32, // (id, f32)
  biasCount: u32,
  penalties: u32, // (id, frequency · count, presence)
  penaltyCount: u32,
  topK: u32,
  temperature: f32,
  minP: f32,
  topP: vec3<u32>, // a share, in digits
  hasTopP: u32,
  uniform01: vec3<u32>, // the draw
  repetition: f32,
}

@group(0) @binding(2) var<storage, read> data: array<u32>;

var<workgroup> result: atomic<u32>;
var<workgroup> listed: atomic<u32>;

fn recordOf(row: u32) -> Record {
  let at = p.rows + 16u * row;
  return Record(
    data[at], data[at + 1u], data[at + 2u], data[at + 3u], data[at + 4u], data[at + 5u],
    bitcast<f32>(data[at + 6u]), bitcast<f32>(data[at + 7u]),
    vec3<u32>(data[at + 8u], data[at + 9u], data[at + 10u]), data[at + 11u],
    vec3<u32>(data[at + 12u], data[at + 13u], data[at + 14u]), bitcast<f32>(data[at + 15u]),
  );
}

/// A copy of the logits after mask, bias and penalties, in this order and each rounded.
fn adjust(lane: Lane, record: Record, logits: u32, copy: u32) {
  for (var id = lane.index; id < p.width; id += LANES) {
    let isAllowed = record.mask == 0xffffffffu || ((data[record.mask + id / 32u] >> (id & 31u)) & 1u) == 1u;
    arena[copy + id] = select(0xff800000u, arena[logits + id], isAllowed);
  }
  storageBarrier();
  for (var i = lane.index; i < record.biasCount; i += LANES) {
    let id = data[record.bias + 2u * i];
    if (id < p.width) {
      store(copy + id, load(copy + id) + bitcast<f32>(data[record.bias + 2u * i + 1u]));
    }
  }
  storageBarrier();
  for (var i = lane.index; i < record.penaltyCount; i += LANES) {
    let at = record.penalties + 3u * i;
    let id = data[at];
    if (id < p.width) {
      let logit = load(copy + id);
      let repeated = select(logit * record.repetition, divide(logit, record.repetition), logit > 0.0);
      store(copy + id, repeated - bitcast<f32>(data[at + 1u]) - bitcast<f32>(data[at + 2u]));
    }
  }
  storageBarrier();
}

/// Goes on with a list of those kept, if they are few: of equals at the end all, as `kept.excess` says.
fn makeList(lane: Lane, list: u32) {
  if (lane.index == 0u) {
    atomicStore(&listed, 0u);
  }
  workgroupBarrier();
  for (var i = lane.index; i < count; i += LANES) {
    let key = keyAt(i);
    if (key >= kept.minKey) {
      let slot = atomicAdd(&listed, 1u);
      arena[list + 2u * slot] = key;
      arena[list + 2u * slot + 1u] = i;
    }
  }
  storageBarrier();
  workgroupBarrier();
  count = atomicLoad(&listed);
  source = list;
  isList = true;
}

/// The lowest key kept whose weight is minP at least.
fn narrowByWeight(lane: Lane, minP: f32) {
  if (lane.index == 0u) {
    atomicStore(&listed, 0xffffffffu);
  }
  workgroupBarrier();
  let top = atomicLoad(&topKey);
  for (var i = lane.index; i < count; i += LANES) {
    let key = keyAt(i);
    if (key >= kept.minKey && (key == top || exp32((floatOf(key) - floatOf(top)) / temperature) >= minP)) {
      atomicMin(&listed, key);
    }
  }
  workgroupBarrier();
  if (lane.index == 0u && atomicLoad(&listed) > kept.minKey) {
    kept = Kept(atomicLoad(&listed), 0u);
  }
  workgroupBarrier();
}

/// The id of what the search has found: of equals the one whose turn it is.
fn resolveInList(lane: Lane) {
  let key = search.prefix;
  for (var i = lane.index; i < count; i += LANES) {
    if (keyAt(i) != key) {
      continue;
    }
    let id = arena[source + 2u * i + 1u];
    var rank = 0u;
    for (var j = 0u; j < count; j++) {
      rank += select(0u, 1u, keyAt(j) == key && arena[source + 2u * j + 1u] < id);
    }
    if (rank == search.ties - 1u) {
      atomicStore(&result, id);
    }
  }
}

fn resolve(lane: Lane) {
  let key = search.prefix;
  let turn = search.ties - 1u;
  let part = countTies(lane, key);
  var rank = tiesBefore[lane.index];
  for (var i = part.x; i < part.y; i++) {
    if (keyAt(i) == key) {
      if (rank == turn) {
        atomicStore(&result, i);
      }
      rank += 1u;
    }
  }
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let row = groupOf(group);
  let record = recordOf(row);
  let scratch = p.scratch + row * (p.width + 2u * LIST);
  readLogits(p.logits + row * p.width, p.width, record.temperature);
  if (record.mask != 0xffffffffu || record.biasCount + record.penaltyCount > 0u) {
    adjust(lane, record, source, scratch);
    source = scratch;
  }
  if (lane.index == 0u) {
    kept = Kept(KEY_NONE + 1u, 0u);
    atomicStore(&result, 0xffffffffu); // -1: nothing is possible
  }
  let top = findTopKey(lane);
  if (top > KEY_NONE && record.temperature == 0.0) {
    for (var i = lane.index; i < count; i += LANES) {
      if (keyAt(i) == top) {
        atomicMin(&result, i);
      }
    }
  } else if (top > KEY_NONE) {
    var usesList = false;
    if (record.topK > 0u) {
      descend(lane, record.topK, vec3<u32>(0u), false);
      keepFound(lane);
      let found = workgroupUniformLoad(&search);
      usesList = found.countAbove + found.all <= LIST;
      if (usesList) {
        makeList(lane, scratch + p.width);
      }
    }
    if (record.hasTopP == 1u) {
      descend(lane, 0u, record.topP, false);
      keepFound(lane);
    }
    if (record.minP > 0.0) {
      narrowByWeight(lane, record.minP);
    }
    descend(lane, 0u, record.uniform01, true);
    if (usesList) {
      resolveInList(lane);
    } else {
      resolve(lane);
    }
  }
  workgroupBarrier();
  if (lane.index == 0u) {
    arena[p.out + row] = atomicLoad(&result);
  }
}
