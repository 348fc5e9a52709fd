// Integer sums of a group of quants with rows of x, from `dot`, which multiplies and adds four in one go.
#pragma once

namespace gemma::GEMMA_ISA {

#if !defined(__ARM_FEATURE_DOTPROD)
/** sum + the 4 quants of each row times x[4i .. 4i + 3]. */
template <int BITS>
inline Ints dot(const Ints& sum, const Bytes& quants, const int8_t* x, size_t i) {
  return dot<BITS>(sum, quants, load_as<int32_t>(x + 4 * i));
}
#endif

/** sums[r] += a group's quants times row r of x; rows lie `stride` bytes apart. BITS: of the quants. */
template <int BITS, size_t VECTORS, size_t ROWS>
inline void dot_group(Ints (&sums)[ROWS], const Bytes* quants, const int8_t* x, size_t stride) {
  constexpr size_t CHAINS = ROWS == 1 ? 2 : 1;  // with one row a single chain would wait for itself
  Ints second = set_int(0);
  // Rows inside: neighbouring instructions belong to different chains, and a vector of quants is done with early.
#pragma GCC unroll 8
  for (size_t i = 0; i < VECTORS; i++) {
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
      Ints& sum = i % CHAINS == 0 ? sums[r] : second;
      sum = dot<BITS>(sum, quants[i], x + r * stride, i);
    }
  }
  if constexpr (CHAINS > 1) sums[0] = add_ints(sums[0], second);
}

}  // namespace gemma::GEMMA_ISA
