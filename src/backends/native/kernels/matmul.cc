#include "kernels/matmul-tiles.h"

namespace gemma::GEMMA_ISA {

void matmul(const MatmulArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const size_t panel = item % args.panels;
    const size_t row_begin = item / args.panels * args.row_block;
    const size_t row_end = args.row_block < args.rows - row_begin ? row_begin + args.row_block : args.rows;
    const size_t column = panel * PANEL_ROWS;
    const size_t left = args.weight.rows - column;
    const PanelTask task = {args, args.weight.panels + panel * args.weight.panel_bytes, column,
                            left < PANEL_ROWS ? left : PANEL_ROWS};
    if (is_dense(args.weight.form)) {
      multiply_dense(task, row_begin, row_end);
    } else if (args.is_int8) {
      multiply_int8(task, row_begin, row_end);
    } else {
      multiply_f32(task, row_begin, row_end);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
