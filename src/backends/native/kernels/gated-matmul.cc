// out = gelu(x · gateᵀ) · (x · upᵀ). Contract: src/backend/ops/gated-matmul.ts
#include "kernels/gelu.h"
#include "kernels/matmul-item.h"

namespace gemma::GEMMA_ISA {

void gated_matmul(const GatedArgs& args, size_t begin, size_t end) {
  // Several panels of one weight, then of the other: with few rows memory sets the pace, and is read fastest in line.
  float ups[ROW_BLOCK * PANEL_ROWS];
  const size_t slot = args.gate.row_block * PANEL_ROWS, run = ROW_BLOCK / args.gate.row_block;
  const size_t stride = args.gate.weight.rows;
  for (size_t first = begin; first < end; first += run) {
    const size_t last = run < end - first ? first + run : end;
    for (size_t i = first; i < last; i++) {
      multiply_item(args.up, MatmulItem(args.up, i), ups + (i - first) * slot, PANEL_ROWS);
    }
    for (size_t i = first; i < last; i++) {
      const MatmulItem item(args.gate, i);
      const float* up = ups + (i - first) * slot;
      float* out = args.gate.out + item.row_begin * stride + item.column;
      multiply_item(args.gate, item, out, stride);
      for (size_t row = item.row_begin; row < item.row_end; row++, out += stride, up += PANEL_ROWS) {
        map2(out, out, up, 0, item.width, [](F32 gate_x, F32 up_x) { return geglu_of(gate_x, up_x); });
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
