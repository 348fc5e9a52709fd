// Integer sums of a group of quants with rows of x where no instruction adds products in 32 bits: maddubs adds pairs of
// them in 16, which hold several steps. The sums are exact.
#pragma once

namespace gemma::GEMMA_ISA {

/** How many pairs of products fit 16 bits, |x| being 127 at most: 8 · 2 · 15 · 127 and 4 · 2 · 31 · 127 and so on. */
template <int BITS>
constexpr size_t STEPS_IN_16_BITS = 32767 / (2 * ((1 << BITS) - 1) * 127);
static_assert(STEPS_IN_16_BITS<4> == 8 && STEPS_IN_16_BITS<5> == 4 && STEPS_IN_16_BITS<6> == 2);

/** x + y in 16-bit lanes. Left to itself GCC adds a group's products as a tree, for which 16 registers do not do. */
inline __m256i add_in_order(__m256i x, __m256i y) {
  __m256i sum = _mm256_add_epi16(x, y);
  __asm__("" : "+x"(sum));
  return sum;
}

/** sums[r] += factor · (quants of BITS times row r of x); part(q) has the quants of a vector q. */
template <int BITS, size_t VECTORS, size_t ROWS, class Part>
inline void dot_parts(Ints (&sums)[ROWS], const Bytes* quants, const int8_t* x, size_t stride, const Part& part,
                      int16_t factor) {
  constexpr size_t STEPS = STEPS_IN_16_BITS<BITS> < VECTORS ? STEPS_IN_16_BITS<BITS> : VECTORS;
  static_assert(VECTORS % STEPS == 0, "a group has 16 or 32 quants");
  const __m256i factors = _mm256_set1_epi16(factor);
#pragma GCC unroll 8
  for (size_t begin = 0; begin < VECTORS; begin += STEPS) {
    __m256i a[ROWS], b[ROWS];
#pragma GCC unroll 8
    for (size_t step = 0; step < STEPS; step++) {
      const auto& q = part(quants[begin + step]);
#pragma GCC unroll 8
      for (size_t r = 0; r < ROWS; r++) {
        const __m256i x4 = _mm256_set1_epi32(load_as<int32_t>(x + r * stride + 4 * (begin + step)));
        const __m256i in_a = _mm256_maddubs_epi16(q.a, x4), in_b = _mm256_maddubs_epi16(q.b, x4);
        a[r] = step == 0 ? in_a : add_in_order(a[r], in_a);
        b[r] = step == 0 ? in_b : add_in_order(b[r], in_b);
      }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
      sums[r].a = _mm256_add_epi32(sums[r].a, _mm256_madd_epi16(a[r], factors));
      sums[r].b = _mm256_add_epi32(sums[r].b, _mm256_madd_epi16(b[r], factors));
    }
  }
}

/** sums[r] += a group's quants times row r of x; rows lie `stride` bytes apart. BITS: of the quants, 8 as twice 4. */
template <int BITS, size_t VECTORS, size_t ROWS>
inline void dot_group(Ints (&sums)[ROWS], const Bytes* quants, const int8_t* x, size_t stride) {
  if constexpr (BITS == 8) {
    dot_parts<4, VECTORS>(sums, quants, x, stride, low_nibbles, 1);
    __asm__("" ::: "memory");  // quants and x are loaded again: kept in registers, they would not leave enough for sums
    dot_parts<4, VECTORS>(sums, quants, x, stride, high_nibbles, 16);
  } else {
    dot_parts<BITS, VECTORS>(sums, quants, x, stride, [](const Bytes& q) -> const Bytes& { return q; }, 1);
  }
}

}  // namespace gemma::GEMMA_ISA
