// A q8 matrix in two planes (WeightView::low), so that a screen can read the upper half of each quant alone.
//
// All upper panels lie side by side, behind them the lower ones. A quant is 16 · upper + lower. The lower nibbles are
// packed as in the 4-bit forms (form.h), the upper ones the other way round: those of vector 2j are the high ones, where
// they belong in a quant.
//     upper panel: of each group of 32 k 4 vectors, then scale[16] f16; behind the groups norm[16] f32
//     lower panel: of each group 4 vectors
// norm is the largest length, over a row's groups, of the vector of its lower nibbles less 7.5 (at least LEAST_NORM).
#pragma once

#include <cmath>
#include <cstring>

#include "kernels/lanes.h"
#include "kernels/screen-args.h"

namespace gemma::GEMMA_ISA {

constexpr size_t NIBBLE_BYTES = Q8_GROUP / 2 * PANEL_ROWS;  // a group's nibbles of one half
constexpr size_t UPPER_GROUP = NIBBLE_BYTES + 2 * PANEL_ROWS;
constexpr size_t WHOLE_GROUP = quant_form(Form::q8).group_bytes();

/** Takes a q8 panel apart. */
inline void split_panel(const uint8_t* panel, size_t columns, uint8_t* upper, uint8_t* lower) {
  int32_t largest[PANEL_ROWS] = {};  // squared norms, less 32 · 7.5²: sums of l · (l - 15)
  for (size_t row = 0; row < PANEL_ROWS; row++) largest[row] = INT32_MIN;
  for (size_t g = 0; g < columns / Q8_GROUP; g++) {
    int16_t squares[64] = {};
    for (size_t j = 0; j < NIBBLE_BYTES; j += 64) {
      const uint8_t* const even = panel + 2 * j;
      const uint8_t* const odd = even + 64;
      for (size_t i = 0; i < 64; i++) {
        upper[j + i] = static_cast<uint8_t>((even[i] & 0xf0) | odd[i] >> 4);
        lower[j + i] = static_cast<uint8_t>((even[i] & 15) | odd[i] << 4);
        const int16_t a = even[i] & 15, b = odd[i] & 15;
        squares[i] = static_cast<int16_t>(squares[i] + a * (a - 15) + b * (b - 15));
      }
    }
    for (size_t row = 0; row < PANEL_ROWS; row++) {
      const int32_t sum = squares[4 * row] + squares[4 * row + 1] + squares[4 * row + 2] + squares[4 * row + 3];
      largest[row] = sum > largest[row] ? sum : largest[row];
    }
    std::memcpy(upper + NIBBLE_BYTES, panel + quant_form(Form::q8).quant_bytes(), 2 * PANEL_ROWS);
    panel += WHOLE_GROUP;
    upper += UPPER_GROUP;
    lower += NIBBLE_BYTES;
  }
  float norms[PANEL_ROWS];
  for (size_t row = 0; row < PANEL_ROWS; row++) {
    const float norm = std::sqrt(static_cast<float>(largest[row]) + 32 * 7.5f * 7.5f);
    norms[row] = norm > LEAST_NORM ? norm : LEAST_NORM;
  }
  std::memcpy(upper, norms, sizeof norms);
}

/** A group of a panel in two planes, put together; see Group in groups.h. */
struct SplitGroup {
  static constexpr QuantForm F = quant_form(Form::q8);
  static constexpr size_t VECTORS = F.group / 4;

  const uint8_t* upper;
  const uint8_t* lower;

  Floats scale() const { return load_f16(upper + NIBBLE_BYTES); }

  void unpack(Bytes* out) const {
#pragma GCC unroll 4
    for (size_t j = 0; j < VECTORS / 2; j++) {
      const Bytes high = load_bytes(upper + 64 * j), low = load_bytes(lower + 64 * j);
      out[2 * j] = join_first(high, low);
      out[2 * j + 1] = join_second(high, low);
    }
  }
};

/** Puts a q8 panel together again. */
inline void join_panel(const WeightView& weight, size_t index, uint8_t* panel) {
  const uint8_t* upper = weight.panels + index * weight.panel_bytes;
  const uint8_t* lower = weight.low + index * lower_panel_bytes(weight.columns);
  for (size_t g = 0; g < weight.columns / Q8_GROUP; g++) {
    for (size_t j = 0; j < NIBBLE_BYTES; j += 64) {
      uint8_t* const even = panel + 2 * j;
      uint8_t* const odd = even + 64;
      for (size_t i = 0; i < 64; i++) {
        even[i] = static_cast<uint8_t>((upper[j + i] & 0xf0) | (lower[j + i] & 15));
        odd[i] = static_cast<uint8_t>(upper[j + i] << 4 | lower[j + i] >> 4);
      }
    }
    std::memcpy(panel + quant_form(Form::q8).quant_bytes(), upper + NIBBLE_BYTES, 2 * PANEL_ROWS);
    panel += WHOLE_GROUP;
    upper += UPPER_GROUP;
    lower += NIBBLE_BYTES;
  }
}

}  // namespace gemma::GEMMA_ISA
