// Factors of matrix products rounded to f16, those beyond its range to its largest number. Sums stay f32.

alias Half = f16;

fn halved(v: vec4<f32>) -> vec4<Half> {
  return vec4<f16>(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0)));
}

fn rounded(v: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(halved(v));
}
