// x = tanh(x / cap) · cap in place. Contract: src/backend/ops/soft-cap.ts
#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

void soft_cap(const SoftCapArgs& args, size_t begin, size_t end) {
  const F32 cap = splat(args.cap);
  map2(args.x, args.x, args.x, begin, end, [cap](F32 x, F32) { return tanh(x / cap) * cap; });
}

}  // namespace gemma::GEMMA_ISA
