// out = gelu(gate) · up, tanh form. Contract: src/backend/ops/geglu.ts
#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

// 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)): one exp, and no cancellation for negative x.
void geglu(const GegluArgs& args, size_t begin, size_t end) {
  map2(args.out, args.gate, args.up, begin, end, [](F32 x, F32 up) {
    const F32 scale = splat(-1.5957691216057308f);  // -2 · sqrt(2/π)
    const F32 minus2u = scale * fma(x * x, splat(0.044715f) * x, x);
    return x / (splat(1.0f) + exp(minus2u)) * up;
  });
}

}  // namespace gemma::GEMMA_ISA
