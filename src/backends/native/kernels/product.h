// c += a · b for matrices in f32 that lie in memory as they are: a tile of c stays in registers.
#pragma once

#include "kernels/simd.h"

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

constexpr size_t PARTS = LANES == 16 ? 4 : 2;  // vectors of a tile: its width
constexpr size_t TILE = LANES == 16 ? 6 : 4;   // rows of a tile
constexpr size_t WIDTH = PARTS * LANES;

template <size_t ROWS>
void whole_tile(float* c, size_t c_stride, const Strided& a, const float* b, size_t b_stride, size_t terms) {
  F32 sums[ROWS][PARTS];
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[r][p] = load(c + r * c_stride + p * LANES);
  }
  for (size_t k = 0; k < terms; k++) {
    F32 values[PARTS];
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) values[p] = load(b + k * b_stride + p * LANES);
    GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const F32 each = splat(a.data[r * a.row + k * a.column]);
      GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[r][p] = fma(each, values[p], sums[r][p]);
    }
  }
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) store(c + r * c_stride + p * LANES, sums[r][p]);
  }
}

/** The columns behind the last whole tile; the same sums, an element at a time. */
inline void rest(float* c, const Strided& a, const float* b, size_t b_stride, size_t columns, size_t terms) {
  size_t column = 0;
  for (; column + LANES <= columns; column += LANES) {
    F32 sum = load(c + column);
    for (size_t k = 0; k < terms; k++) sum = fma(splat(a.data[k * a.column]), load(b + k * b_stride + column), sum);
    store(c + column, sum);
  }
  if (column == columns) return;
  F32 sum = load_partial(c + column, columns - column);
  for (size_t k = 0; k < terms; k++) {
    sum = fma(splat(a.data[k * a.column]), load_partial(b + k * b_stride + column, columns - column), sum);
  }
  store_partial(c + column, sum, columns - column);
}

}  // namespace product

/** c [rows, columns] += a [rows, terms] · b [terms, columns]; an element's terms in ascending order. */
inline void add_product(float* c, size_t c_stride, const Strided& a, const float* b, size_t b_stride, const ProductSize& size) {
  using namespace product;
  size_t column = 0;
  for (; column + WIDTH <= size.columns; column += WIDTH) {
    size_t row = 0;
    for (; row + TILE <= size.rows; row += TILE) {
      const Strided from = {a.data + row * a.row, a.row, a.column};
      whole_tile<TILE>(c + row * c_stride + column, c_stride, from, b + column, b_stride, size.terms);
    }
    for (; row < size.rows; row++) {
      const Strided from = {a.data + row * a.row, a.row, a.column};
      whole_tile<1>(c + row * c_stride + column, c_stride, from, b + column, b_stride, size.terms);
    }
  }
  if (column == size.columns) return;
  for (size_t row = 0; row < size.rows; row++) {
    const Strided from = {a.data + row * a.row, a.row, a.column};
    rest(c + row * c_stride + column, from, b + column, b_stride, size.columns - column, size.terms);
  }
}

}  // namespace gemma::GEMMA_ISA
