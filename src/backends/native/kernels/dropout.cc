// Contract: src/backend/ops/dropout.ts
#include "kernels.h"
#include "random.h"

namespace gemma::GEMMA_ISA {

void dropout(const DropoutArgs& args, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    args.out[i] = draw_at(args.mixed_seed, args.first + i) < args.rate ? 0 : args.x[i] * args.factor;
  }
}

}  // namespace gemma::GEMMA_ISA
