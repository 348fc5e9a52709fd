// out = x · weightᵀ for many rows of x: prefill. A workgroup computes a tile of 32 rows of x and 64 rows of the weight, a
// lane 4 by 4 of them. The order of sums is that of matmul-rows.wgsl.

const LANES = 128u;
const TILE_X = 32u;
const TILE_W = 64u;
const STEP4 = 4u; //   quads of k in a step
const SLICE4 = 32u; // quads in a slice

var<workgroup> tileW: array<vec4<Half>, STEP4 * TILE_W>;
var<workgroup> tileX: array<vec4<Half>, STEP4 * TILE_X>;

@compute @workgroup_size(LANES)
fn main(lane: Lane, group: Group) {
  let column = lane.index & 15u;
  let row = lane.index >> 4u;
  let firstW = group.id.x * TILE_W;
  let firstX = group.id.y * TILE_X;
  let quads = (p.width + 3u) / 4u;
  let lastRow = (p.partRows + 31u) / 32u * 32u - 1u; // panels are whole
  var total = array<array<f32, 4>, 4>();
  var sum = array<array<f32, 4>, 4>();
  for (var k4 = 0u; k4 < quads; k4 += STEP4) {
    for (var i = lane.index; i < STEP4 * TILE_W; i += LANES) {
      let k = k4 + i / TILE_W;
      var w = vec4<f32>(0.0);
      if (k < quads) {
        w = weight4(min(firstW + i % TILE_W, lastRow), k);
      }
      tileW[i] = halved(w);
    }
    for (var i = lane.index; i < STEP4 * TILE_X; i += LANES) {
      tileX[i] = halved(x4(firstX + i % TILE_X, 4u * (k4 + i / TILE_X)));
    }
    workgroupBarrier();
    for (var k = 0u; k < STEP4; k++) {
      var w: array<vec4<f32>, 4>;
      for (var n = 0u; n < 4u; n++) {
        w[n] = vec4<f32>(tileW[k * TILE_W + column + 16u * n]);
      }
      for (var t = 0u; t < 4u; t++) {
        let x = vec4<f32>(tileX[k * TILE_X + row + 8u * t]);
        for (var n = 0u; n < 4u; n++) {
          sum[t][n] = fma(w[n].w, x.w, fma(w[n].z, x.z, fma(w[n].y, x.y, fma(w[n].x, x.x, sum[t][n]))));
        }
      }
    }
    workgroupBarrier();
    if ((k4 + STEP4) % SLICE4 == 0u || k4 + STEP4 >= quads) {
      for (var t = 0u; t < 4u; t++) {
        for (var n = 0u; n < 4u; n++) {
          total[t][n] += sum[t][n];
          sum[t][n] = 0.0;
        }
      }
    }
  }
  for (var t = 0u; t < 4u; t++) {
    for (var n = 0u; n < 4u; n++) {
      let outRow = firstX + row + 8u * t;
      let outColumn = firstW + column + 16u * n;
      if (outRow < p.rows && outColumn < p.partRows) {
        store(p.out + outRow * p.outWidth + p.firstRow + outColumn, total[t][n]);
      }
    }
  }
}
