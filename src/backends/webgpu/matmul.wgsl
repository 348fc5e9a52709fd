// What products of few rows (matmul-rows.wgsl) and of many (matmul-tiles.wgsl) are given, and a quad of x.

struct Params {
  plane0: u32,
  plane1: u32,
  plane2: u32,
  plane3: u32,
  blocks: u32,
  out: u32, //      [T, N]
  x: u32, //        [T, K]
  rows: u32, //     T
  width: u32, //    K
  outWidth: u32, // N
  firstRow: u32, // of the weight in this part of it
  partRows: u32,
}

fn x4(row: u32, k: u32) -> vec4<f32> {
  var x = vec4<f32>(0.0);
  if (row < p.rows) {
    for (var j = 0u; j < 4u && k + j < p.width; j++) {
      x[j] = load(p.x + row * p.width + k + j);
    }
  }
  return x;
}
