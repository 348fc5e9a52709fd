// log p of targets out of logits and the statistics of their rows.

const LANES = 64u;

struct Params {
  out: u32, //     [n]
  targets: u32, // [n]
  rows: u32, //    [n]
  hasRows: u32, // 0: target i belongs to row i
  count: u32, //   n
  logits: u32, //  [R, V], from row firstRow on
  width: u32, //   V
  stats: u32, //   [R, 3]
  firstRow: u32,
  rowCount: u32, // of these
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let i = groupOf(group) * LANES + lane.index;
  if (i >= p.count) {
    return;
  }
  let id = arena[p.targets + i];
  var row = i;
  if (p.hasRows == 1u) {
    row = arena[p.rows + i];
  }
  if (row < p.firstRow || row - p.firstRow >= p.rowCount) {
    // The first part writes for those that are in none; later ones overwrite theirs.
    if (p.firstRow == 0u) {
      arena[p.out + i] = notANumber();
    }
    return;
  }
  if (id >= p.width) {
    arena[p.out + i] = notANumber();
    return;
  }
  let local = row - p.firstRow;
  let stats = p.stats + 3u * local;
  store(p.out + i, load(p.logits + local * p.width + id) - load(stats) - load(stats + 1u));
}

/// What scoreIds gives of each row beside its targets.
@compute @workgroup_size(LANES)
fn best(lane: Lane, group: Group) {
  let row = groupOf(group) * LANES + lane.index;
  if (row >= p.rowCount) {
    return;
  }
  let stats = p.stats + 3u * row;
  arena[p.out + row] = arena[stats + 2u];
  store(p.targets + row, load(stats) - load(stats) - load(stats + 1u));
}
