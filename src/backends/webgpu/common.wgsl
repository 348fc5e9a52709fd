// What every kernel begins with. Tensors live in one buffer, by the word at which they begin: any two may overlap, and a
// view may begin anywhere. Words, not floats: a float that is copied may lose a denormal or the bits of a NaN.

@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<uniform> p: Params;

fn load(i: u32) -> f32 {
  return bitcast<f32>(arena[i]);
}

fn loadInt(i: u32) -> i32 {
  return bitcast<i32>(arena[i]);
}

fn store(i: u32, value: f32) {
  arena[i] = bitcast<u32>(value);
}

/// Apart from Lane: only what is the same in a workgroup may decide whether it meets a barrier.
struct Group {
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) count: vec3<u32>,
}

/// Which workgroup this is: large grids have two dimensions.
fn groupOf(group: Group) -> u32 {
  return group.id.y * group.count.x + group.id.x;
}

fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn notANumber() -> u32 {
  return 0x7fc00000u;
}

fn powerOfTwo(n: i32) -> f32 {
  return bitcast<f32>(u32(n + 127) << 23u);
}

// WGSL's own exp, tanh and log may be off by 1e-5; these are within 2 units in the last place.

fn exp32(x: f32) -> f32 {
  if (isNan(x)) {
    return x;
  }
  let c = clamp(x, -104.0, 89.0); // 0 and infinity beyond
  let n = round(c * 1.44269504);
  let r = fma(n, -1.42860677e-6, fma(n, -0.693145752, c)); // ln 2 in two parts
  var e = fma(r, 1.98412698e-4, 1.38888889e-3);
  e = fma(e, r, 8.33333333e-3);
  e = fma(e, r, 4.16666667e-2);
  e = fma(e, r, 0.166666667);
  e = fma(e, r, 0.5);
  e = fma(e * r, r, r) + 1.0;
  let half = i32(n) / 2; // 2^n itself may not be a number
  return e * powerOfTwo(half) * powerOfTwo(i32(n) - half);
}

fn tanh32(x: f32) -> f32 {
  let size = abs(x);
  if (size < 0.625) { // Cephes, tanhf
    let z = x * x;
    var t = fma(z, -5.70498872745e-3, 2.06390887954e-2);
    t = fma(t, z, -5.37397155531e-2);
    t = fma(t, z, 0.133314422036);
    t = fma(t, z, -0.333332819422);
    return fma(t * z, x, x);
  }
  let t = 1.0 - 2.0 / (exp32(2.0 * min(size, 10.0)) + 1.0);
  return select(t, -t, x < 0.0);
}

/// ln x of a normal x > 0.
fn log32(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  var exponent = f32(i32(bits >> 23u) - 127);
  var m = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
  if (m > 1.41421356) {
    m *= 0.5;
    exponent += 1.0;
  }
  let s = (m - 1.0) / (m + 1.0);
  let z = s * s;
  var t = fma(z, 0.0909090909, 0.111111111);
  t = fma(t, z, 0.142857143);
  t = fma(t, z, 0.2);
  t = fma(t, z, 0.333333333);
  let logM = fma(2.0 * s * z, t, 2.0 * s);
  return fma(exponent, 0.693145752, fma(exponent, 1.42860677e-6, logM));
}

/// a / b rounded to nearest: WGSL's division may be 2.5 units off.
fn divide(a: f32, b: f32) -> f32 {
  let q = a / b;
  let corrected = fma(fma(-q, b, a), 1.0 / b, q);
  return select(q, corrected, abs(corrected) <= 3.0e38 && abs(b) <= 1.0e38);
}
