// out = a + b, element by element. Contract: src/backend/ops/add.ts
#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

void add(const AddArgs& args, size_t begin, size_t end) {
  map2(args.out, args.a, args.b, begin, end, [](F32 a, F32 b) { return a + b; });
}

}  // namespace gemma::GEMMA_ISA
