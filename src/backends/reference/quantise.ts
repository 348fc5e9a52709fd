/** Codes in -127..127 and the scale that they are to be multiplied with. */
export interface QuantisedGroup {
  readonly scale: number;
  readonly codes: Float64Array;
}

/**
 * Quantises to 8 bits: scale = max|x| / 127, code = round-half-even(x · (127 / max|x|)), each step rounded to f32.
 * Where the quotient overflows (max|x| below about 2^-121) all codes are zero.
 */
export function quantiseGroup(values: Float32Array): QuantisedGroup {
  const codes = new Float64Array(values.length);
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  const inverse = Math.fround(127 / max);
  if (max === 0 || inverse === Number.POSITIVE_INFINITY) return { scale: 0, codes };
  for (const [i, value] of values.entries()) codes[i] = roundHalfEven(Math.fround(value * inverse));
  return { scale: Math.fround(max / 127), codes };
}

/** For |x| < 2^51: at 1.5 · 2^52 doubles are the whole numbers, and the addition rounds ties to even. */
function roundHalfEven(x: number): number {
  return x + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
}
