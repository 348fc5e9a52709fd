// IEEE half precision: 1 sign, 5 exponent, 10 fraction bits.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of an f16 bit pattern; every one is exact in f32. */
export function f16ToF32(half: number): number {
  const magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) {
    if (magnitude > 0x7c00) return Number.NaN;
    return half & 0x8000 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  // Read as f32 bits the exponent is 112 too small, for subnormals as well.
  bits[0] = magnitude << 13;
  const value = float[0]! * 2 ** 112;
  return half & 0x8000 ? -value : value;
}

/** The f16 bit pattern nearest to `value` (first rounded to f32), ties to even; infinity from 65520 on. */
export function f32ToF16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = Math.abs(float[0]!);
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2^-14 an f16 is a multiple of 2^-24. Adding 2^52 rounds a double to a whole number, ties to even.
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24 + 2 ** 52 - 2 ** 52);
  const positive = word & 0x7fff_ffff;
  return sign | ((positive + 0xfff + ((positive >>> 13) & 1) - (112 << 23)) >>> 13);
}
