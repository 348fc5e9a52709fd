// Matrices of bf16 pairs for the dot units: conversions, and c += a · b.
#pragma once

#if defined(__AVX512BF16__)

#include <algorithm>

#include "kernels/simd.h"
#include "kernels/tiles.h"
#include "kernels/transpose.h"

namespace gemma::GEMMA_ISA {

constexpr size_t PAIR_LANES = 16;

inline __mmask16 first_lanes(size_t count) {
  return static_cast<__mmask16>(count >= PAIR_LANES ? 0xffff : (1u << count) - 1);
}

/** Pairs of neighbours in a row: out [count / 2 rounded up], padded with zeros to a whole vector. */
inline void pair_neighbours(const float* row, size_t count, uint32_t* out) {
  for (size_t i = 0; i < count; i += 2 * PAIR_LANES) {
    const __m512 low = _mm512_maskz_loadu_ps(first_lanes(count - i), row + i);
    const __m512 high = _mm512_maskz_loadu_ps(first_lanes(count - i > PAIR_LANES ? count - i - PAIR_LANES : 0), row + i + PAIR_LANES);
    _mm512_storeu_si512(out + i / 2, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
}

/** Pairs of two rows: out[i] = even[i], odd[i]; a row that is nullptr is zeros. Padded with zeros to a whole vector. */
inline void pair_rows(const float* even, const float* odd, size_t count, uint32_t* out) {
  const auto halves = [](const float* row, size_t i, __mmask16 mask) {
    if (row == nullptr) return _mm512_setzero_si512();
    return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, row + i)));
  };
  for (size_t i = 0; i < count; i += PAIR_LANES) {
    const __mmask16 mask = first_lanes(count - i);
    const __m512i high = _mm512_slli_epi32(halves(odd, i, mask), 16);
    _mm512_storeu_si512(out + i, _mm512_or_si512(halves(even, i, mask), high));
  }
}

/** Pair [i][k] at data[i · row + k · column]. */
struct StridedPairs {
  const uint32_t* data;
  size_t row, column;
};

template <size_t ROWS>
void pairs_tile(float* c, size_t c_stride, const StridedPairs& a, const uint32_t* b, size_t b_stride, size_t pairs, size_t columns) {
  constexpr size_t PARTS = 4;
  __mmask16 masks[PARTS];
  for (size_t p = 0; p < PARTS; p++) masks[p] = first_lanes(columns > p * PAIR_LANES ? columns - p * PAIR_LANES : 0);
  __m512 sums[ROWS][PARTS];
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[r][p] = _mm512_maskz_loadu_ps(masks[p], c + r * c_stride + p * PAIR_LANES);
  }
  for (size_t k = 0; k < pairs; k++) {
    __m512bh values[PARTS];
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) {
      values[p] = (__m512bh)_mm512_maskz_loadu_epi32(masks[p], b + k * b_stride + p * PAIR_LANES);
    }
    GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const __m512bh each = (__m512bh)_mm512_set1_epi32(static_cast<int>(a.data[r * a.row + k * a.column]));
      GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[r][p] = _mm512_dpbf16_ps(sums[r][p], values[p], each);
    }
  }
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) _mm512_mask_storeu_ps(c + r * c_stride + p * PAIR_LANES, masks[p], sums[r][p]);
  }
}

/** c [rows, columns] += a [rows, pairs] · b [pairs, columns]. */
inline void add_pairs(float* c, size_t c_stride, const StridedPairs& a, const uint32_t* b, size_t b_stride, size_t rows,
                      size_t columns, size_t pairs) {
  for (size_t column = 0; column < columns; column += 4 * PAIR_LANES) {
    for_even_tiles<6>(0, rows, [&](auto count, size_t row) {
      const StridedPairs from = {a.data + row * a.row, a.row, a.column};
      pairs_tile<count()>(c + row * c_stride + column, c_stride, from, b + column, b_stride, pairs, columns - column);
    });
  }
}

}  // namespace gemma::GEMMA_ISA

#endif
