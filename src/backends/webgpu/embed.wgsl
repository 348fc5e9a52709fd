const LANES = 64u;

struct Params {
  plane0: u32,
  plane1: u32,
  plane2: u32,
  plane3: u32,
  blocks: u32,
  out: u32, //       [T, D]
  ids: u32, //       [T]
  rows: u32, //      T
  width: u32, //     D
  firstRow: u32, //  of the table in this part of it
  partRows: u32,
  tableRows: u32, // V
  scale: f32,
}

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let quads = (p.width + 3u) / 4u;
  let i = groupOf(group) * LANES + lane.index;
  if (i >= p.rows * quads) {
    return;
  }
  let t = i / quads;
  let k = 4u * (i % quads);
  let id = arena[p.ids + t]; // a negative one is large
  var values = vec4<f32>(0.0);
  if (id < p.tableRows) {
    if (id < p.firstRow || id - p.firstRow >= p.partRows) {
      return; // another part has it
    }
    values = weight4(id - p.firstRow, k / 4u) * p.scale;
  }
  for (var j = 0u; j < 4u && k + j < p.width; j++) {
    store(p.out + t * p.width + k + j, values[j]);
  }
}
