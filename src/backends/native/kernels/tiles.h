// Rows cut into tiles, whose size is a constant to the compiler.
#pragma once

#include <cstddef>
#include <type_traits>

namespace gemma::GEMMA_ISA {

/** Cuts rows into tiles of at most MOST: run(number of rows as a constant, first row). */
template <size_t MOST, class Run>
inline void for_tiles(size_t row, size_t row_end, const Run& run) {
  const auto tiles_of = [&](auto rows) {
    for (; row + rows() <= row_end; row += rows()) run(rows, row);
  };
  tiles_of(std::integral_constant<size_t, MOST>());
  if constexpr (MOST > 4) tiles_of(std::integral_constant<size_t, 4>());
  if constexpr (MOST > 2) tiles_of(std::integral_constant<size_t, 2>());
  tiles_of(std::integral_constant<size_t, 1>());
}

/** run(N) with N = count as a constant; 1 <= count <= MOST. */
template <size_t MOST, class Run>
inline void with_constant(size_t count, const Run& run) {
  if constexpr (MOST > 1) {
    if (count < MOST) return with_constant<MOST - 1>(count, run);
  }
  run(std::integral_constant<size_t, MOST>());
}

/** Cuts rows into as few tiles as can be, about equal: what a tile costs beside its rows is paid least often. */
template <size_t MOST, class Run>
inline void for_even_tiles(size_t row, size_t row_end, const Run& run) {
  for (size_t tiles = (row_end - row + MOST - 1) / MOST; tiles > 0; tiles--) {
    const size_t rows = (row_end - row + tiles - 1) / tiles;
    with_constant<MOST>(rows, [&](auto count) { run(count, row); });
    row += rows;
  }
}

}  // namespace gemma::GEMMA_ISA
