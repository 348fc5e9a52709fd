// Logits in descending order without sorting them: a workgroup looks for the logit at which a count or a sum of weights
// reaches a goal, 8 bits of it at a time. Equal logits go by their ids.

const LANES = 256u;

/// Of minus infinity, and of what is no number.
const KEY_NONE = 0x007fffffu;

/// Logits as integers in the same order.
fn keyOf(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return KEY_NONE;
  }
  if (bits == 0x80000000u) { // minus zero equals zero
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

fn floatOf(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
}

// The candidates: `count` logits from `source` on, or a list of (key, id) in any order.
var<private> source: u32;
var<private> count: u32;
var<private> isList: bool;
var<private> temperature: f32;

/// The candidates are a row of logits [V].
fn readLogits(first: u32, width: u32, divisor: f32) {
  source = first;
  count = width;
  isList = false;
  temperature = divisor;
}

fn keyAt(i: u32) -> u32 {
  if (isList) {
    return arena[source + 2u * i];
  }
  return keyOf(arena[source + i]);
}

/// The range that is left: keys from minKey on, without the last `excess` of those that equal it.
struct Kept {
  minKey: u32,
  excess: u32,
}

struct Search {
  prefix: u32, // of the key that is looked for
  above: Big, //  sum of the weights above it
  countAbove: u32,
  goal: Big,
  ties: u32, // how many of those that equal it belong to it
  all: u32, //  and how many there are
}

var<workgroup> kept: Kept;
var<workgroup> search: Search;
var<workgroup> topKey: atomic<u32>;
var<workgroup> topKeyFound: u32;
var<workgroup> counts: array<atomic<u32>, 256>;
var<workgroup> low: array<atomic<u32>, 256>; // sums of weights, by digits
var<workgroup> middle: array<atomic<u32>, 256>;
var<workgroup> high: array<atomic<u32>, 256>;

/// Relative to the largest logit's, which is 1 also where that is infinite.
fn weightDigits(key: u32) -> vec3<u32> {
  let top = atomicLoad(&topKey);
  if (key == top) {
    return vec3<u32>(0u, 0u, 8192u);
  }
  return digitsOf(exp32((floatOf(key) - floatOf(top)) / temperature));
}

fn findTopKey(lane: Lane) -> u32 {
  if (lane.index == 0u) {
    atomicStore(&topKey, 0u);
  }
  workgroupBarrier();
  var largest = 0u;
  for (var i = lane.index; i < count; i += LANES) {
    largest = max(largest, keyAt(i));
  }
  atomicMax(&topKey, largest);
  workgroupBarrier();
  if (lane.index == 0u) {
    topKeyFound = atomicLoad(&topKey);
  }
  return workgroupUniformLoad(&topKeyFound);
}

fn reaches(sum: Big, beyond: bool) -> bool {
  let order = bigCompare(sum, search.goal);
  return order > 0 || (order == 0 && !beyond);
}

/// Where the count reaches `goalCount`, or, without one, the sum of weights `share` of all, or gets `beyond` it.
/// The result is in `search`; where nothing reaches it that is the last one kept.
fn descend(lane: Lane, goalCount: u32, share: vec3<u32>, beyond: bool) {
  if (lane.index == 0u) {
    search = Search(0u, Big(), 0u, Big(), 0u, 0u);
  }
  for (var shift = 32u; shift > 0u;) {
    shift -= 8u;
    for (var b = lane.index; b < 256u; b += LANES) {
      atomicStore(&counts[b], 0u);
      atomicStore(&low[b], 0u);
      atomicStore(&middle[b], 0u);
      atomicStore(&high[b], 0u);
    }
    workgroupBarrier();
    for (var i = lane.index; i < count; i += LANES) {
      let key = keyAt(i);
      if (key < kept.minKey || (shift < 24u && (key >> (shift + 8u)) != search.prefix)) {
        continue;
      }
      let b = (key >> shift) & 255u;
      atomicAdd(&counts[b], 1u);
      if (goalCount == 0u) {
        let digits = weightDigits(key);
        atomicAdd(&low[b], digits.x);
        atomicAdd(&middle[b], digits.y);
        atomicAdd(&high[b], digits.z);
      }
    }
    workgroupBarrier();
    if (lane.index == 0u) {
      pickBucket(shift, goalCount, share, beyond);
    }
    workgroupBarrier();
  }
  if (lane.index == 0u) {
    takeTies(goalCount, beyond);
  }
  workgroupBarrier();
}

fn pickBucket(shift: u32, goalCount: u32, share: vec3<u32>, beyond: bool) {
  let minKey = kept.minKey;
  if (kept.excess > 0u && (shift == 24u || (minKey >> (shift + 8u)) == search.prefix)) {
    let b = (minKey >> shift) & 255u;
    let digits = weightDigits(minKey) * kept.excess;
    atomicSub(&counts[b], kept.excess);
    if (goalCount == 0u) {
      atomicSub(&low[b], digits.x);
      atomicSub(&middle[b], digits.y);
      atomicSub(&high[b], digits.z);
    }
  }
  if (shift == 24u && goalCount == 0u) {
    var sum = Big();
    for (var b = 0u; b < 256u; b++) {
      sum = bigSum(sum, bucketSum(b));
    }
    search.goal = bigShare(sum, share);
  }
  var above = search.above;
  var countAbove = search.countAbove;
  var chosen = 0u;
  for (var b = 256u; b > 0u; b--) {
    let own = atomicLoad(&counts[b - 1u]);
    if (own == 0u) {
      continue;
    }
    chosen = b - 1u;
    search.above = above;
    search.countAbove = countAbove;
    search.all = own;
    above = bigSum(above, bucketSum(chosen));
    countAbove += own;
    if ((goalCount > 0u && countAbove >= goalCount) || (goalCount == 0u && reaches(above, beyond))) {
      break;
    }
  }
  search.prefix = (search.prefix << 8u) | chosen;
}

fn bucketSum(b: u32) -> Big {
  return carried(Big(atomicLoad(&low[b]), atomicLoad(&middle[b]), atomicLoad(&high[b]), 0u, 0u));
}

/// How many of the equal ones at the goal belong to what reaches it.
fn takeTies(goalCount: u32, beyond: bool) {
  let all = search.all;
  if (goalCount > 0u) {
    search.ties = min(all, goalCount - search.countAbove);
    return;
  }
  let digits = weightDigits(search.prefix);
  var least = 1u; // the number is in [least, most]
  var most = all;
  while (least < most) {
    let half = (least + most) / 2u;
    if (reaches(bigSum(search.above, bigTimes(digits, half)), beyond)) {
      most = half;
    } else {
      least = half + 1u;
    }
  }
  search.ties = most;
}

/// Narrows what is kept to what the search has found.
fn keepFound(lane: Lane) {
  if (lane.index == 0u) {
    let same = search.prefix == kept.minKey;
    kept.excess = search.all - search.ties + select(0u, kept.excess, same);
    kept.minKey = search.prefix;
  }
  workgroupBarrier();
}

var<workgroup> tiesBefore: array<u32, LANES + 1u>;

/// Each lane's part of the logits, one behind the other, and in tiesBefore how many before it equal `key`.
fn countTies(lane: Lane, key: u32) -> vec2<u32> {
  let part = (count + LANES - 1u) / LANES;
  let first = min(count, lane.index * part);
  let end = min(count, first + part);
  var own = 0u;
  for (var i = first; i < end; i++) {
    own += select(0u, 1u, keyAt(i) == key);
  }
  tiesBefore[lane.index + 1u] = own;
  workgroupBarrier();
  if (lane.index == 0u) {
    tiesBefore[0] = 0u;
    for (var i = 0u; i < LANES; i++) {
      tiesBefore[i + 1u] += tiesBefore[i];
    }
  }
  workgroupBarrier();
  return vec2<u32>(first, end);
}
