#include "kernels/matmul-item.h"
#include "kernels/matmul-tiles.h"

namespace gemma::GEMMA_ISA {
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
