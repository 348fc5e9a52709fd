// c += a · b for matrices in f32 that lie in memory as they are: a tile of c stays in registers.
#pragma once

#include <type_traits>

#include "kernels/simd.h"
#include "kernels/tiles.h"

namespace gemma::GEMMA_ISA {

/** Element [i][j] at data[i · row + j · column]. */
struct Strided {
  const float* data;
  size_t row, column;
};

struct ProductSize {
  size_t rows, columns, terms;
};

namespace product {

// As many accumulators as the registers hold. A narrow c has taller tiles.
constexpr size_t PARTS = LANES == 16 ? 4 : 2;  // vectors of a tile's width
constexpr size_t TILE = LANES == 16 ? 6 : 4;   // rows
constexpr size_t TALL_TILE = LANES == 16 ? 12 : 8;

/** `last`: columns of the last vector; a constant where they are all there. */
template <size_t ROWS, size_t VECTORS, class Last>
void tile(float* c, size_t c_stride, const Strided& a, const float* b, size_t b_stride, size_t terms, Last last) {
  constexpr bool is_whole = !std::is_same_v<Last, size_t>;
  const auto load_at = [last](const float* from, size_t v) {
    return is_whole || v + 1 < VECTORS ? load(from + v * LANES) : load_partial(from + v * LANES, last);
  };
  F32 sums[ROWS][VECTORS];
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t v = 0; v < VECTORS; v++) sums[r][v] = load_at(c + r * c_stride, v);
  }
  for (size_t k = 0; k < terms; k++) {
    F32 values[VECTORS];
    GEMMA_UNROLL for (size_t v = 0; v < VECTORS; v++) values[v] = load_at(b + k * b_stride, v);
    GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const F32 each = splat(a.data[r * a.row + k * a.column]);
      GEMMA_UNROLL for (size_t v = 0; v < VECTORS; v++) sums[r][v] = fma(each, values[v], sums[r][v]);
    }
  }
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t v = 0; v < VECTORS; v++) {
      float* const to = c + r * c_stride + v * LANES;
      if (is_whole || v + 1 < VECTORS) {
        store(to, sums[r][v]);
      } else {
        store_partial(to, sums[r][v], last);
      }
    }
  }
}

template <size_t MOST, size_t VECTORS, class Last>
void column_of_tiles(float* c, size_t c_stride, const Strided& a, const float* b, size_t b_stride, const ProductSize& size,
                     Last last) {
  for_even_tiles<MOST>(0, size.rows, [&](auto rows, size_t row) {
    const Strided from = {a.data + row * a.row, a.row, a.column};
    tile<rows(), VECTORS>(c + row * c_stride, c_stride, from, b, b_stride, size.terms, last);
  });
}

}  // namespace product

/** c [rows, columns] += a [rows, terms] · b [terms, columns]; an element's terms in ascending order, whatever the sizes. */
inline void add_product(float* c, size_t c_stride, const Strided& a, const float* b, size_t b_stride, const ProductSize& size) {
  using namespace product;
  constexpr std::integral_constant<size_t, LANES> whole;
  size_t column = 0;
  for (; column + PARTS * LANES <= size.columns; column += PARTS * LANES) {
    column_of_tiles<TILE, PARTS>(c + column, c_stride, a, b + column, b_stride, size, whole);
  }
  for (; column + LANES <= size.columns; column += LANES) {
    column_of_tiles<TALL_TILE, 1>(c + column, c_stride, a, b + column, b_stride, size, whole);
  }
  if (column == size.columns) return;
  column_of_tiles<TALL_TILE, 1>(c + column, c_stride, a, b + column, b_stride, size, size.columns - column);
}

}  // namespace gemma::GEMMA_ISA
