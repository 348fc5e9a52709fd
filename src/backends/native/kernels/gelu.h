// The gate of the feed-forward network.
#pragma once

#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

/** gelu(x) · up, tanh form: 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)), one exp, and no cancellation for negative x. */
inline F32 geglu_of(F32 x, F32 up) {
  const F32 scale = splat(-1.5957691216057308f);  // -2 · sqrt(2/π)
  const F32 minus2u = scale * fma(x * x, splat(0.044715f) * x, x);
  return x / (splat(1.0f) + exp(minus2u)) * up;
}

}  // namespace gemma::GEMMA_ISA
