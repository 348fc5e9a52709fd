// Functions of four floats. Multiplications and additions round apart, as everywhere in these kernels, so that all
// builds and machines give the same bits.

// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** The sum of four lanes, in pairs. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const a = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2);
  const b = f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3);
  return a + b;
}

/**
 * exp(x), within about 2 ulp (Cephes' polynomial); 0 below -87.3, about 2e38 above 88. NaN stays NaN.
 */
export function exp4(x: v128): v128 {
  const clamped = f32x4.min(f32x4.max(x, splat(-87.3)), splat(88));
  const n = f32x4.nearest(f32x4.mul(clamped, splat(1.44269504088896341)));
  let r = f32x4.sub(clamped, f32x4.mul(n, splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, splat(-2.12194440e-4)));
  let y = madd(splat(1.9875691500e-4), r, splat(1.3981999507e-3));
  y = madd(y, r, splat(8.3334519073e-3));
  y = madd(y, r, splat(4.1665795894e-2));
  y = madd(y, r, splat(1.6666665459e-1));
  y = madd(y, r, splat(5.0000001201e-1));
  y = f32x4.add(madd(y, f32x4.mul(r, r), r), splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(y, power), f32x4.lt(x, splat(-87.3)));
}

/** tanh(x): Cephes' polynomial near 0, through exp elsewhere. NaN stays NaN. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = madd(splat(-5.70498872745e-3), z, splat(2.06390887954e-2));
  p = madd(p, z, splat(-5.37397155531e-2));
  p = madd(p, z, splat(1.33314422036e-1));
  p = madd(p, z, splat(-3.33332819422e-1));
  const small = madd(f32x4.mul(p, z), x, x);
  const e = exp4(f32x4.add(size, size));
  const large = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(size, splat(0.625)));
}

const ROOT: f32 = 0.7978845608028654; // sqrt(2/π)

/** gelu, tanh form: 0.5 x (1 + tanh u) = x / (1 + exp(-2u)). */
export function gelu4(x: v128): v128 {
  const cubic = madd(f32x4.mul(f32x4.mul(x, x), x), splat(0.044715), x);
  return f32x4.div(x, f32x4.add(splat(1), exp4(f32x4.mul(cubic, splat(-2 * ROOT)))));
}

/** Four f16, zero-extended to 32 bits, as floats. */
// @ts-ignore: decorator
@inline
export function halves(h: v128): v128 {
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16);
  const size = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
  const finite = f32x4.mul(size, splat(5.192296858534828e33)); // 2^112: from one exponent's bias to the other's
  const endless = v128.or(size, i32x4.splat(0x7f800000));
  return v128.or(sign, v128.bitselect(endless, finite, i32x4.ge_s(size, i32x4.splat(0x0f800000))));
}

/** The same of f16 that are sign-extended and neither infinite nor no number. */
// @ts-ignore: decorator
@inline
export function finiteHalves(h: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(h, 13), i32x4.splat(0x8fffe000)), splat(5.192296858534828e33));
}
