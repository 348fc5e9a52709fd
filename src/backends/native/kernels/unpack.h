// Packed weights as f32, a few columns of a panel at a time: for gradients, which run through a weight the other way.
#pragma once

#include "kernels/groups.h"
#include "kernels/matmul-args.h"
#include "kernels/split.h"
#include "kernels/transpose.h"

namespace gemma::GEMMA_ISA {

constexpr size_t UNPACK_COLUMNS = 64;  // at most, of a panel at once

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
  static_assert(UNPACK_COLUMNS % GROUP == 0, "pieces are of whole groups");
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

/**
 * Columns [k_begin, k_end) of a panel, at most UNPACK_COLUMNS, as 16 rows of out that are `stride` apart; zeros fill up to a
 * multiple of 16. k_begin is a multiple of UNPACK_COLUMNS.
 */
inline void unpack_rows(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, float* out, size_t stride) {
  alignas(64) float columns[UNPACK_COLUMNS * PANEL_ROWS];
  unpack_columns(weight, index, k_begin, k_end, columns);
  const size_t width = k_end - k_begin, padded = (width + 15) / 16 * 16;
  for (size_t k = width; k < padded; k++) store_first(columns + k * PANEL_ROWS, set(0), PANEL_ROWS);
  for (size_t k = 0; k < padded; k += 16) transpose_16(columns + k * PANEL_ROWS, PANEL_ROWS, out + k, stride);
}

}  // namespace gemma::GEMMA_ISA
