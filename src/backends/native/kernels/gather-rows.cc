// out[r] = x[rows[r]]. Contract: src/backend/ops/gather-rows.ts
#include <cstring>

#include "kernels.h"

namespace gemma::GEMMA_ISA {

void gather_rows(const GatherRowsArgs& args, size_t begin, size_t end) {
  const size_t bytes = args.width * sizeof(float);
  for (size_t r = begin; r < end; r++) {
    float* const out = args.out + r * args.width;
    const int32_t row = args.indices[r];
    if (row >= 0 && static_cast<size_t>(row) < args.rows) {
      std::memmove(out, args.x + row * args.width, bytes);  // out may be x after all
    } else {
      std::memset(out, 0, bytes);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
