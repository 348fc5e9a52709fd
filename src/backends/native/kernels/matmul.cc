#include "kernels/matmul-item.h"
#include "kernels/matmul-tiles.h"
#include "kernels/split.h"

namespace gemma::GEMMA_ISA {
namespace {

/** Panels of a matrix in two planes are multiplied as if it had one. */
void multiply_split(const PanelTask& task, size_t index, size_t row_begin, size_t row_end) {
  alignas(64) uint8_t panel[MAX_SPLIT_COLUMNS / Q8_GROUP * WHOLE_GROUP];
  join_panel(task.args.weight, index, panel);
  prefetch_panel(task.args.weight, index + 1);  // while this one is multiplied, memory would have nothing to do
  PanelTask joined = task;
  joined.panel = panel;
  multiply_int8(joined, row_begin, row_end);
}

}  // namespace

void multiply_item(const MatmulArgs& args, const MatmulItem& item, float* out, size_t stride) {
  const uint8_t* const panel = args.weight.panels + item.panel * args.weight.panel_bytes;
  const PanelTask task = {args, panel, out, item.row_begin, stride, item.width};
  if (args.weight.low != nullptr) {
    multiply_split(task, item.panel, item.row_begin, item.row_end);
  } else if (args.prepared.pairs != nullptr) {
    multiply_bf16(task, item.row_begin, item.row_end);
  } else if (is_dense(args.weight.form)) {
    multiply_dense(task, item.row_begin, item.row_end);
  } else if (args.is_int8) {
    multiply_int8(task, item.row_begin, item.row_end);
  } else {
    multiply_f32(task, item.row_begin, item.row_end);
  }
}

void matmul(const MatmulArgs& args, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    const MatmulItem item(args, i);
    const size_t stride = args.weight.rows;
    multiply_item(args, item, args.out + item.row_begin * stride + item.column, stride);
  }
}

}  // namespace gemma::GEMMA_ISA
