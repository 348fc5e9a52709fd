// out[indices[r]] += scale · rows[r]: what undoes embed and gatherRows. Contracts: src/backend/ops/embed-backward.ts,
// src/backend/ops/gather-rows-backward.ts
#include "kernels.h"

namespace gemma::GEMMA_ISA {

// Threads share columns, not rows: an index may come twice.
void scatter_add(const ScatterAddArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const size_t first = item * SUM_COLUMNS;
    const size_t columns = SUM_COLUMNS < args.width - first ? SUM_COLUMNS : args.width - first;
    for (size_t r = 0; r < args.row_count; r++) {
      const int32_t index = args.indices[r];
      if (index < 0 || static_cast<size_t>(index) >= args.count) continue;
      float* const out = args.out + static_cast<size_t>(index) * args.width + first;
      const float* const row = args.rows + r * args.width + first;
      for (size_t i = 0; i < columns; i++) {
        out[i] = static_cast<float>(out[i] + args.scale * row[i]);
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
