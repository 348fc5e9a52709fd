// out = gelu(gate) · up, tanh form. Contract: src/backend/ops/geglu.ts
#include "kernels.h"
#include "kernels/gelu.h"

namespace gemma::GEMMA_ISA {

void geglu(const GegluArgs& args, size_t begin, size_t end) {
  map2(args.out, args.gate, args.up, begin, end, [](F32 gate, F32 up) { return geglu_of(gate, up); });
}

}  // namespace gemma::GEMMA_ISA
