#include "kernels/matmul-tiles.h"
#include "kernels/split.h"

namespace gemma::GEMMA_ISA {
namespace {

/** Panels of a matrix in two planes are multiplied as if it had one. */
void multiply_split(const PanelTask& task, size_t index, size_t row_begin, size_t row_end) {
  alignas(64) uint8_t panel[MAX_SPLIT_COLUMNS / Q8_GROUP * WHOLE_GROUP];
  join_panel(task.args.weight, index, panel);
  prefetch_panel(task.args.weight, index + 1);  // while this one is multiplied, memory would have nothing to do
  multiply_int8({task.args, panel, task.column, task.width}, row_begin, row_end);
}

}  // namespace

void matmul(const MatmulArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const size_t panel = item % args.panels;
    const size_t row_begin = item / args.panels * args.row_block;
    const size_t row_end = args.row_block < args.rows - row_begin ? row_begin + args.row_block : args.rows;
    const size_t column = panel * PANEL_ROWS;
    const size_t left = args.weight.rows - column;
    const PanelTask task = {args, args.weight.panels + panel * args.weight.panel_bytes, column,
                            left < PANEL_ROWS ? left : PANEL_ROWS};
    if (args.weight.low != nullptr) {
      multiply_split(task, panel, row_begin, row_end);
    } else if (args.prepared.pairs != nullptr) {
      multiply_bf16(task, row_begin, row_end);
    } else if (is_dense(args.weight.form)) {
      multiply_dense(task, row_begin, row_end);
    } else if (args.is_int8) {
      multiply_int8(task, row_begin, row_end);
    } else {
      multiply_f32(task, row_begin, row_end);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
