// Dot products of four rows × 4 columns of unsigned quants with 4 activations: one lane a row.

/** Bytes of a prepared row that 4 activations take; see prepare-x.ts. */
// @ts-ignore: decorator
@inline
export function xStep(): usize {
  return ASC_FEATURE_RELAXED_SIMD ? 4 : 8;
}

/** The 4 activations, or the first and third of them. */
// @ts-ignore: decorator
@inline
export function xFirst(x: usize): v128 {
  return v128.load32_splat(x);
}

/** Without relaxed SIMD, the second and fourth. */
// @ts-ignore: decorator
@inline
export function xSecond(x: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.splat(0) : v128.load32_splat(x, 4);
}

/** sum + quants · x. Quants have at most 7 bits with relaxed SIMD, 8 without. */
// @ts-ignore: decorator
@inline
export function dot(quants: v128, first: v128, second: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(first, quants, sum);
  } else {
    const even = v128.and(quants, i16x8.splat(0x00ff));
    const odd = i16x8.shr_u(quants, 8);
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(even, first));
    return i32x4.add(sum, i32x4.dot_i16x8_s(odd, second));
  }
}

/**
 * Whether the processor makes relaxed dot products of pairs of 16 bits, which then are the cheaper sums; others add four products
 * at once. Beyond 7 bits the former saturate: that shows which it is.
 */
export function hasPairDots(): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false;
  const dots = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
  return i32x4.extract_lane(dots, 0) == 2 * 32767;
}

/** sum [8 of 16 bits] + pairs of quants · x, of two products each. Relaxed SIMD alone; the caller keeps sums below 2^15. */
// @ts-ignore: decorator
@inline
export function narrowDot(quants: v128, x: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(x, quants)) : sum;
}

/** What narrowDot, or dot, has summed up, as 4 of 32 bits. */
// @ts-ignore: decorator
@inline
export function whole(isNarrow: bool, sums: v128): v128 {
  return isNarrow ? i32x4.extadd_pairwise_i16x8_s(sums) : sums;
}

/** One or the other. */
// @ts-ignore: decorator
@inline
export function addDot(isNarrow: bool, quants: v128, first: v128, second: v128, sum: v128): v128 {
  return isNarrow ? narrowDot(quants, first, sum) : dot(quants, first, second, sum);
}
