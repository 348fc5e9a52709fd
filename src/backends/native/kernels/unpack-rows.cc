#include "kernels/unpack-rows.h"

#include "kernels/unpack.h"

namespace gemma::GEMMA_ISA {
namespace {

/** Calls use(k, width) on pieces of at most UNPACK_COLUMNS columns. */
template <class Use>
void for_pieces(size_t k_begin, size_t k_end, const Use& use) {
  for (size_t k = k_begin; k < k_end; k += UNPACK_COLUMNS) use(k, UNPACK_COLUMNS < k_end - k ? UNPACK_COLUMNS : k_end - k);
}

}  // namespace

void unpack_panel(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, float* out, size_t stride) {
  for_pieces(k_begin, k_end, [&](size_t k, size_t width) {
    unpack_rows(weight, index, k, k + width, out + (k - k_begin), stride);
  });
}

void unpack_panel(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, uint16_t* out, size_t stride) {
  for_pieces(k_begin, k_end, [&](size_t k, size_t width) {
    alignas(64) float rows[PANEL_ROWS][UNPACK_COLUMNS];
    unpack_rows(weight, index, k, k + width, rows[0], UNPACK_COLUMNS);
    for (size_t row = 0; row < PANEL_ROWS; row++) {
      uint16_t* const own = out + row * stride + (k - k_begin);
      for (size_t at = 0; at < width; at += PANEL_ROWS) {
#if defined(__AVX512BF16__)
        const __m256bh halves = _mm512_cvtneps_pbh(_mm512_load_ps(rows[row] + at));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(own + at), (__m256i)halves);
#else
        for (size_t i = at; i < at + PANEL_ROWS; i++) own[i] = f32_to_bf16(rows[row][i]);
#endif
      }
    }
  });
}

}  // namespace gemma::GEMMA_ISA
