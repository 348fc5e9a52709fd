// dx = dOut · weight, the weight staying packed. Contract: src/backend/ops/matmul-backward.ts
//
// A block of the weight is unpacked, N_BLOCK rows by BACKWARD_COLUMNS columns, and meets a block of rows of dOut while it
// is in the cache. A row's sum goes over n in ascending order, whatever its neighbours.
#include <cstring>

#include "kernels/backward-args.h"
#include "kernels/groups.h"
#include "kernels/matmul-tiles.h"
#include "kernels/split.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t N_BLOCK = 64;  // of whole panels
constexpr size_t BLOCK_PANELS = N_BLOCK / PANEL_ROWS;

/** Writes a group's values to out [k][16 rows]. */
template <class G>
void unpack_group(const G& group, float* out) {
  Bytes quants[G::VECTORS];
  group.unpack(quants);
  const Floats scale = group.scale();
  Floats min = set(0);
  if constexpr (G::F.has_min) min = group.min();
  for (size_t i = 0; i < G::VECTORS; i++, out += 4 * PANEL_ROWS) {
    store_first(out, fma(quants_to_floats<0>(quants[i], G::F.offset), scale, min), PANEL_ROWS);
    store_first(out + PANEL_ROWS, fma(quants_to_floats<1>(quants[i], G::F.offset), scale, min), PANEL_ROWS);
    store_first(out + 2 * PANEL_ROWS, fma(quants_to_floats<2>(quants[i], G::F.offset), scale, min), PANEL_ROWS);
    store_first(out + 3 * PANEL_ROWS, fma(quants_to_floats<3>(quants[i], G::F.offset), scale, min), PANEL_ROWS);
  }
}

template <Form FORM>
void unpack_quantised(const uint8_t* panel, size_t k_begin, size_t k_end, float* out) {
  constexpr size_t GROUP = quant_form(FORM).group;
  for (size_t g = k_begin / GROUP; g < k_end / GROUP; g++, out += GROUP * PANEL_ROWS) {
    unpack_group(Group<FORM>(panel, g), out);
  }
}

/** Columns [k_begin, k_end) of a panel, as out [k][16 rows]. */
void unpack_columns(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, float* out) {
  const uint8_t* const panel = weight.panels + index * weight.panel_bytes;
  if (weight.low != nullptr) {
    const uint8_t* const low = weight.low + index * lower_panel_bytes(weight.columns);
    for (size_t g = k_begin / Q8_GROUP; g < k_end / Q8_GROUP; g++, out += Q8_GROUP * PANEL_ROWS) {
      unpack_group(SplitGroup{panel + g * UPPER_GROUP, low + g * NIBBLE_BYTES}, out);
    }
    return;
  }
  switch (weight.form) {
    case Form::f32:
    case Form::f16:
    case Form::bf16:
      for (size_t k = k_begin; k < k_end; k++, out += PANEL_ROWS) {
        for (size_t row = 0; row < PANEL_ROWS; row++) {
          const size_t at = k * PANEL_ROWS + row;
          out[row] = weight.form == Form::f32   ? load_as<float>(panel + 4 * at)
                     : weight.form == Form::f16 ? f16_to_f32(load_as<uint16_t>(panel + 2 * at))
                                                : bf16_to_f32(load_as<uint16_t>(panel + 2 * bf16_at(k, row)));
        }
      }
      return;
#define GEMMA_FORM(name, bits, group, scales, min, offset) \
  case Form::name:                                         \
    return unpack_quantised<Form::name>(panel, k_begin, k_end, out);
      GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
  }
}

/** A block of the weight [N_BLOCK, BACKWARD_COLUMNS], its rows as they are. */
struct F32Block {
  alignas(64) float values[N_BLOCK][BACKWARD_COLUMNS];

  /** Takes 16 rows from `columns` [k][16 rows]. */
  void take(size_t panel, const float* columns, size_t width) {
    for (size_t row = 0; row < PANEL_ROWS; row++) {
      float* const out = values[panel * PANEL_ROWS + row];
      for (size_t k = 0; k < width; k++) out[k] = columns[k * PANEL_ROWS + row];
      for (size_t k = width; k < BACKWARD_COLUMNS; k++) out[k] = 0;
    }
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

  void take(size_t panel, const float* columns, size_t width) {
    // Row k of `columns` becomes 8 pairs; 16 of these rows are then transposed by gathers.
    alignas(64) uint32_t pairs[BACKWARD_COLUMNS][PANEL_ROWS / 2] = {};
    for (size_t k = 0; k < width; k++) {
      const __m256bh halves = _mm512_cvtneps_pbh(_mm512_loadu_ps(columns + k * PANEL_ROWS));
      _mm256_store_si256(reinterpret_cast<__m256i*>(pairs[k]), (__m256i)halves);
    }
    const __m512i steps = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                             _mm512_set1_epi32(PANEL_ROWS / 2));
    for (size_t pair = 0; pair < PANEL_ROWS / 2; pair++) {
      uint32_t* const out = values[panel * PANEL_ROWS / 2 + pair];
      for (size_t k = 0; k < BACKWARD_COLUMNS; k += 16) {
        _mm512_store_si512(out + k, _mm512_i32gather_epi32(steps, &pairs[k][pair], 4));
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
  alignas(64) float columns[BACKWARD_COLUMNS * PANEL_ROWS];
  for (size_t n = 0; n < weight.rows; n += N_BLOCK) {
    const size_t n_end = N_BLOCK < weight.rows - n ? n + N_BLOCK : weight.rows;
    for (size_t panel = 0; panel * PANEL_ROWS < n_end - n; panel++) {
      unpack_columns(weight, n / PANEL_ROWS + panel, k, k + width, columns);
      block.take(panel, columns, width);
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
