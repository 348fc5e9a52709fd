// bfloat16: the upper half of an f32.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of a bf16 bit pattern; every one is exact in f32. */
export function bf16ToF32(half: number): number {
  bits[0] = half << 16;
  return float[0]!;
}

/** The bf16 bit pattern nearest to `value` (first rounded to f32), ties to even. NaN stays a (quiet) NaN. */
export function f32ToBf16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  if (Number.isNaN(float[0])) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** `value` rounded to the nearest bf16, ties to even. */
export function roundToBf16(value: number): number {
  return bf16ToF32(f32ToBf16(value));
}
