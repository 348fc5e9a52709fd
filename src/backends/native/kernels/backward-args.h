// Arguments of the kernels that training adds: gradients. Shapes: T rows, N = outputs, K = inputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul-args.h"

#define GEMMA_BACKWARD_KERNELS(X) X(matmul_backward, MatmulBackwardArgs)

namespace gemma {

constexpr size_t BACKWARD_COLUMNS = 64;   // of dx, in an item
constexpr size_t BACKWARD_ROW_BLOCK = 512;  // of dx at most: its rows share what is unpacked of the weight

/** dx = dOut · weight. Item i: columns block i % column_blocks, for the rows of block i / column_blocks. */
struct MatmulBackwardArgs {
  float* dx;           // [T, K]
  WeightView weight;   // [N, K]
  size_t rows;         // T
  const float* d_out;  // [T, N]
  const uint32_t* pairs;  // [T, x_pairs(N)], dOut rounded to bf16; nullptr: it is used as it is
  bool accumulate;
  size_t row_block;

  size_t column_blocks() const { return (weight.columns + BACKWARD_COLUMNS - 1) / BACKWARD_COLUMNS; }
  size_t items() const { return column_blocks() * ((rows + row_block - 1) / row_block); }
};

}  // namespace gemma
