// bf16 weights times activations rounded to bf16, on dot units that multiply pairs of k. One sum a row and output, over
// ascending k.
#include "kernels/matmul-tiles.h"

namespace gemma::GEMMA_ISA {

#if defined(__AVX512BF16__)

namespace {

constexpr size_t K_BLOCK = 512;
constexpr size_t MOST_ROWS = 16;  // accumulators hide the latency of the dots

template <size_t ROWS>
void multiply(const PanelTask& task, size_t row, size_t k_begin, size_t k_end) {
  const size_t stride = x_pairs(task.args.weight.columns);
  const uint32_t* const x = task.args.prepared.pairs + row * stride;
  Floats sums[ROWS];
#pragma GCC unroll 16
  for (size_t r = 0; r < ROWS; r++) sums[r] = task.partial(row + r, k_begin);
  for (size_t pair = k_begin / 2; pair < bf16_pairs(k_end); pair++) {
    const __m512bh w = (__m512bh)_mm512_loadu_si512(task.panel + pair * PANEL_ROWS * 4);
#pragma GCC unroll 16
    for (size_t r = 0; r < ROWS; r++) {
      const __m512bh each = (__m512bh)_mm512_set1_epi32(static_cast<int>(x[r * stride + pair]));
      sums[r] = _mm512_dpbf16_ps(sums[r], w, each);
    }
  }
#pragma GCC unroll 16
  for (size_t r = 0; r < ROWS; r++) store_first(task.out(row + r), sums[r], task.width);
}

}  // namespace

void multiply_bf16(const PanelTask& task, size_t row_begin, size_t row_end) {
  const size_t columns = task.args.weight.columns, k_block = row_end - row_begin <= MOST_ROWS ? columns : K_BLOCK;
  for (size_t k = 0; k < columns; k += k_block) {
    const size_t k_end = k_block < columns - k ? k + k_block : columns;
    for_tiles<MOST_ROWS>(row_begin, row_end, [&](auto rows, size_t row) { multiply<rows()>(task, row, k, k_end); });
  }
}

#else

void multiply_bf16(const PanelTask&, size_t, size_t) {}  // not reached: activations are prepared as pairs for dot units alone

#endif

}  // namespace gemma::GEMMA_ISA
