// One panel times the rows of a block, tile by tile. Every tile does the same operations on a row in the same order,
// whatever the number of rows in it: a row's result does not depend on its neighbours.
#pragma once

#include "kernels.h"
#include "kernels/lanes.h"
#include "kernels/tiles.h"

namespace gemma::GEMMA_ISA {

/** One panel and the rows of x that meet it now. */
struct PanelTask {
  const MatmulArgs& args;
  const uint8_t* panel;
  float* first_out;  // of row first_row and the panel's first column
  size_t first_row;
  size_t out_stride;  // distance of two rows of the output
  size_t width;       // outputs that exist: 16, less in the last panel

  float* out(size_t row) const { return first_out + (row - first_row) * out_stride; }
  /** What the blocks of k before this one summed up to. */
  Floats partial(size_t row, size_t k) const { return k == 0 ? set(0) : load_first(out(row), width); }
};

/**
 * Cuts k into blocks whose part of the panel stays in the first cache, and rows into tiles:
 * Tile::template run<ROWS>(task, first row, first k, k behind).
 */
template <class Tile>
void multiply_panel(const PanelTask& task, size_t row_begin, size_t row_end, size_t k_block) {
  const size_t columns = task.args.weight.columns;
  if (row_end - row_begin <= MAX_TILE) k_block = columns;
  for (size_t k = 0; k < columns; k += k_block) {
    const size_t k_end = k_block < columns - k ? k + k_block : columns;
    for_tiles<MAX_TILE>(row_begin, row_end, [&](auto rows, size_t row) { Tile::template run<rows()>(task, row, k, k_end); });
  }
}

/** Of panel `index` of a matrix in two planes (split.h). */
void multiply_split(const PanelTask& task, size_t index, size_t row_begin, size_t row_end);
void multiply_int8(const PanelTask& task, size_t row_begin, size_t row_end);
void multiply_f32(const PanelTask& task, size_t row_begin, size_t row_end);
void multiply_dense(const PanelTask& task, size_t row_begin, size_t row_end);
void multiply_bf16(const PanelTask& task, size_t row_begin, size_t row_end);

}  // namespace gemma::GEMMA_ISA
