// dx = dOut · weight, the weight staying packed. Contract: src/backend/ops/matmul-backward.ts
//
// A block of the weight is unpacked, N_BLOCK rows by BACKWARD_COLUMNS columns, and meets a block of rows of dOut while it
// is in the cache. A row's sum goes over n in ascending order, whatever its neighbours.
#include <cstring>

#include "kernels/backward-args.h"
#include "kernels/matmul-tiles.h"
#include "kernels/unpack.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t N_BLOCK = 128;  // of whole panels

/** A block of the weight [N_BLOCK, BACKWARD_COLUMNS], its rows as they are. */
struct F32Block {
  alignas(64) float values[N_BLOCK][BACKWARD_COLUMNS];

  /** Takes the 16 rows of a panel, `width` columns from k on. */
  void take(const WeightView& weight, size_t index, size_t panel, size_t k, size_t width) {
    unpack_rows(weight, index, k, k + width, values[panel * PANEL_ROWS], BACKWARD_COLUMNS);
  }

  template <size_t ROWS>
  void multiply(const MatmulBackwardArgs& args, size_t row, size_t n_begin, size_t n_end, float* dx, size_t width) const {
    const size_t outputs = args.weight.rows, columns = args.weight.columns;
    const float* const d_out = args.d_out + row * outputs;
    for (size_t k = 0; k < width; k += PANEL_ROWS) {
      const size_t count = PANEL_ROWS < width - k ? PANEL_ROWS : width - k;
      Floats sums[ROWS];
#pragma GCC unroll 8
      for (size_t r = 0; r < ROWS; r++) sums[r] = load_first(dx + r * columns + k, count);
      for (size_t n = n_begin; n < n_end; n++) {
        const Floats w = load(values[n - n_begin] + k);
#pragma GCC unroll 8
        for (size_t r = 0; r < ROWS; r++) sums[r] = fma(set(d_out[r * outputs + n]), w, sums[r]);
      }
#pragma GCC unroll 8
      for (size_t r = 0; r < ROWS; r++) store_first(dx + r * columns + k, sums[r], count);
    }
  }

  static constexpr size_t MOST_ROWS = MAX_TILE;
};

#if defined(__AVX512BF16__)

/** A block of the weight as pairs of neighbouring rows, bf16: [N_BLOCK / 2][BACKWARD_COLUMNS]. */
struct PairsBlock {
  alignas(64) uint32_t values[N_BLOCK / 2][BACKWARD_COLUMNS];

  void take(const WeightView& weight, size_t index, size_t panel, size_t k, size_t width) {
    alignas(64) float rows[PANEL_ROWS][BACKWARD_COLUMNS];
    unpack_rows(weight, index, k, k + width, rows[0], BACKWARD_COLUMNS);
    const auto halves = [](const float* from) {
      return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_load_ps(from)));
    };
    for (size_t pair = 0; pair < PANEL_ROWS / 2; pair++) {
      uint32_t* const out = values[panel * PANEL_ROWS / 2 + pair];
      for (size_t at = 0; at < width; at += 16) {
        const __m512i even = halves(rows[2 * pair] + at), odd = halves(rows[2 * pair + 1] + at);
        _mm512_store_si512(out + at, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
      }
    }
  }

  template <size_t ROWS>
  void multiply(const MatmulBackwardArgs& args, size_t row, size_t n_begin, size_t n_end, float* dx, size_t width) const {
    constexpr size_t PARTS = BACKWARD_COLUMNS / 16;
    const size_t stride = x_pairs(args.weight.rows), columns = args.weight.columns;
    const uint32_t* const d_out = args.pairs + row * stride + n_begin / 2;
    __mmask16 masks[PARTS];
    for (size_t p = 0; p < PARTS; p++) {
      const size_t left = width > 16 * p ? width - 16 * p : 0;
      masks[p] = left >= 16 ? 0xffff : first(left);
    }
    Floats sums[ROWS][PARTS];
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
#pragma GCC unroll 4
      for (size_t p = 0; p < PARTS; p++) sums[r][p] = _mm512_maskz_loadu_ps(masks[p], dx + r * columns + 16 * p);
    }
    for (size_t pair = 0; pair < bf16_pairs(n_end - n_begin); pair++) {
      __m512bh w[PARTS];
#pragma GCC unroll 4
      for (size_t p = 0; p < PARTS; p++) w[p] = (__m512bh)_mm512_load_si512(values[pair] + 16 * p);
#pragma GCC unroll 8
      for (size_t r = 0; r < ROWS; r++) {
        const __m512bh each = (__m512bh)_mm512_set1_epi32(static_cast<int>(d_out[r * stride + pair]));
#pragma GCC unroll 4
        for (size_t p = 0; p < PARTS; p++) sums[r][p] = _mm512_dpbf16_ps(sums[r][p], w[p], each);
      }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
#pragma GCC unroll 4
      for (size_t p = 0; p < PARTS; p++) _mm512_mask_storeu_ps(dx + r * columns + 16 * p, masks[p], sums[r][p]);
    }
  }

  static constexpr size_t MOST_ROWS = 6;
};

#endif

template <class Block>
void backward(const MatmulBackwardArgs& args, size_t item) {
  const WeightView& weight = args.weight;
  const size_t k = item % args.column_blocks() * BACKWARD_COLUMNS;
  const size_t width = BACKWARD_COLUMNS < weight.columns - k ? BACKWARD_COLUMNS : weight.columns - k;
  const size_t row_begin = item / args.column_blocks() * args.row_block;
  const size_t row_end = args.row_block < args.rows - row_begin ? row_begin + args.row_block : args.rows;
  float* const dx = args.dx + k;
  if (!args.accumulate) {
    for (size_t row = row_begin; row < row_end; row++) std::memset(dx + row * weight.columns, 0, width * sizeof(float));
  }
  Block block;
  for (size_t n = 0; n < weight.rows; n += N_BLOCK) {
    const size_t n_end = N_BLOCK < weight.rows - n ? n + N_BLOCK : weight.rows;
    for (size_t panel = 0; panel * PANEL_ROWS < n_end - n; panel++) {
      block.take(weight, n / PANEL_ROWS + panel, panel, k, width);
    }
    for_even_tiles<Block::MOST_ROWS>(row_begin, row_end, [&](auto rows, size_t row) {
      block.template multiply<rows()>(args, row, n, n_end, dx + row * weight.columns, width);
    });
  }
}

}  // namespace

void matmul_backward(const MatmulBackwardArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
#if defined(__AVX512BF16__)
    if (args.pairs != nullptr) {
      backward<PairsBlock>(args, item);
      continue;
    }
#endif
    backward<F32Block>(args, item);
  }
}

}  // namespace gemma::GEMMA_ISA
