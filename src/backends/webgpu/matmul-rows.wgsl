// out = x · weightᵀ for a few rows of x: decoding. Lanes are 32 rows of the weight and SPLIT parts of the sum over k.
//
// The order of every sum, here and in matmul-tiles.wgsl: over k in slices of 128, one fma behind the other, then over the
// slices. A row of out has the same bits, whatever else is computed with it.

const ROWS = ROWS_AT_ONCE; // of x
const LANES = 32u * SPLIT;
const SLICE4 = 32u; // quads in a slice

var<workgroup> factors: array<array<vec4<f32>, LANES>, ROWS>; // a quad of x for each lane
var<workgroup> sums: array<array<f32, LANES>, ROWS>;

@compute @workgroup_size(32, SPLIT)
fn main(lane: Lane, group: Group) {
  let column = lane.index & 31u; // of the panel
  let part = lane.index >> 5u;
  let n = groupOf(group) * 32u + column;
  let firstX = group.id.z * ROWS;
  let quads = (p.width + 3u) / 4u;
  var total = array<f32, ROWS>();
  for (var slices = 0u; slices * SLICE4 < quads; slices += SPLIT) {
    for (var t = 0u; t < ROWS; t++) {
      factors[t][lane.index] = rounded(x4(firstX + t, 4u * (slices * SLICE4 + lane.index)));
    }
    workgroupBarrier();
    var sum = array<f32, ROWS>();
    let first = (slices + part) * SLICE4;
    for (var i = 0u; i < min(SLICE4, quads - min(first, quads)); i++) {
      let w = rounded(weight4(n, first + i));
      for (var t = 0u; t < ROWS; t++) {
        let x = factors[t][part * SLICE4 + i];
        sum[t] = fma(w.w, x.w, fma(w.z, x.z, fma(w.y, x.y, fma(w.x, x.x, sum[t]))));
      }
    }
    for (var t = 0u; t < ROWS; t++) {
      sums[t][lane.index] = sum[t];
    }
    workgroupBarrier();
    if (part == 0u) {
      for (var t = 0u; t < ROWS; t++) {
        for (var i = 0u; i < SPLIT; i++) {
          total[t] += sums[t][i * 32u + column];
        }
      }
    }
    workgroupBarrier();
  }
  if (part == 0u && n < p.partRows) {
    for (var t = 0u; t < ROWS && firstX + t < p.rows; t++) {
      store(p.out + (firstX + t) * p.outWidth + p.firstRow + n, total[t]);
    }
  }
}
