// Packed weights as f32, a few columns of a panel at a time: for gradients, which run through a weight the other way.
#pragma once

#include "kernels/groups.h"
#include "kernels/matmul-args.h"
#include "kernels/split.h"

namespace gemma::GEMMA_ISA {

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
inline void unpack_quantised(const uint8_t* panel, size_t k_begin, size_t k_end, float* out) {
  constexpr size_t GROUP = quant_form(FORM).group;
  for (size_t g = k_begin / GROUP; g < k_end / GROUP; g++, out += GROUP * PANEL_ROWS) {
    unpack_group(Group<FORM>(panel, g), out);
  }
}

/** Columns [k_begin, k_end) of a panel, as out [k][16 rows]. */
inline void unpack_columns(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, float* out) {
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

/** out[row][k] = in[k][row], 16 of each; `stride`: distance of two rows of out. */
inline void transpose_16(const float* in, float* out, size_t stride) {
#if defined(__AVX512F__)
  __m512 a[16], b[16];
  const auto low_pd = [](__m512 x, __m512 y) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)));
  };
  const auto high_pd = [](__m512 x, __m512 y) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)));
  };
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(in + 16 * i);
#pragma GCC unroll 8
  for (size_t i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 16; i += 4) {
    a[i] = low_pd(b[i], b[i + 2]);
    a[i + 1] = high_pd(b[i], b[i + 2]);
    a[i + 2] = low_pd(b[i + 1], b[i + 3]);
    a[i + 3] = high_pd(b[i + 1], b[i + 3]);
  }
  // a[4i + j] holds columns j, 4 + j, 8 + j, 12 + j of rows 4i .. 4i + 3.
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; j++) {
    const __m512 even = _mm512_shuffle_f32x4(a[j], a[4 + j], 0x88), odd = _mm512_shuffle_f32x4(a[j], a[4 + j], 0xdd);
    const __m512 even2 = _mm512_shuffle_f32x4(a[8 + j], a[12 + j], 0x88);
    const __m512 odd2 = _mm512_shuffle_f32x4(a[8 + j], a[12 + j], 0xdd);
    _mm512_storeu_ps(out + j * stride, _mm512_shuffle_f32x4(even, even2, 0x88));
    _mm512_storeu_ps(out + (4 + j) * stride, _mm512_shuffle_f32x4(odd, odd2, 0x88));
    _mm512_storeu_ps(out + (8 + j) * stride, _mm512_shuffle_f32x4(even, even2, 0xdd));
    _mm512_storeu_ps(out + (12 + j) * stride, _mm512_shuffle_f32x4(odd, odd2, 0xdd));
  }
#else
  for (size_t row = 0; row < 16; row++) {
    for (size_t k = 0; k < 16; k++) out[row * stride + k] = in[k * 16 + row];
  }
#endif
}

/**
 * Columns [k_begin, k_end) of a panel, as 16 rows of out, `stride` apart, which is a multiple of 16: zeros fill the last 16
 * columns. At most UNPACK_COLUMNS of them.
 */
constexpr size_t UNPACK_COLUMNS = 64;

inline void unpack_rows(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, float* out, size_t stride) {
  alignas(64) float columns[UNPACK_COLUMNS * PANEL_ROWS];
  unpack_columns(weight, index, k_begin, k_end, columns);
  const size_t width = k_end - k_begin, padded = (width + 15) / 16 * 16;
  for (size_t k = width; k < padded; k++) store_first(columns + k * PANEL_ROWS, set(0), PANEL_ROWS);
  for (size_t k = 0; k < padded; k += 16) transpose_16(columns + k * PANEL_ROWS, out + k, stride);
}

}  // namespace gemma::GEMMA_ISA
