// Sums of weights in [0, 1] as whole numbers of 2^-39, in digits of 13 bits, the least first: exact, so that they do not
// depend on the order in which lanes add. WGSL has no f64 and no 64-bit integers.

const DIGIT = 13u;
const MASK = 8191u;

alias Big = array<u32, 5>;

/// A weight in [0, 1] as three digits; the first may be 2^13.
fn digitsOf(weight: f32) -> vec3<u32> {
  let high = floor(weight * 8192.0);
  let rest = (weight * 8192.0 - high) * 8192.0;
  let middle = floor(rest);
  return vec3<u32>(u32(round((rest - middle) * 8192.0)), u32(middle), u32(high));
}

fn carried(number: Big) -> Big {
  var n = number;
  for (var i = 0u; i < 4u; i++) {
    n[i + 1u] += n[i] >> DIGIT;
    n[i] &= MASK;
  }
  return n;
}

fn bigOf(digits: vec3<u32>) -> Big {
  return carried(Big(digits.x, digits.y, digits.z, 0u, 0u));
}

fn bigSum(a: Big, b: Big) -> Big {
  return carried(Big(a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]));
}

/// Of digits up to 2^13 and a factor below 2^18.
fn bigTimes(digits: vec3<u32>, factor: u32) -> Big {
  return bigOf(digits * factor);
}

/// -1, 0 or 1.
fn bigCompare(a: Big, b: Big) -> i32 {
  for (var i = 5u; i > 0u; i--) {
    if (a[i - 1u] != b[i - 1u]) {
      return select(-1, 1, a[i - 1u] > b[i - 1u]);
    }
  }
  return 0;
}

/// floor(number · share): a share in [0, 1] as three digits behind the point, the least first.
fn bigShare(number: Big, share: vec3<u32>) -> Big {
  var product = array<u32, 8>();
  for (var i = 0u; i < 5u; i++) {
    for (var j = 0u; j < 3u; j++) {
      product[i + j] += number[i] * share[j];
    }
  }
  for (var i = 0u; i < 7u; i++) {
    product[i + 1u] += product[i] >> DIGIT;
    product[i] &= MASK;
  }
  return Big(product[3], product[4], product[5], product[6], product[7]);
}

fn bigFloat(n: Big) -> f32 {
  var value = f32(n[4]);
  for (var i = 4u; i > 0u; i--) {
    value = fma(value, 8192.0, f32(n[i - 1u]));
  }
  return value * 1.8189894e-12; // 2^-39
}
