// Gradients of geglu, element by element. Contract: src/backend/ops/geglu-backward.ts
#include "kernels.h"
#include "kernels/gelu.h"

namespace gemma::GEMMA_ISA {
namespace {

struct Gelu {
  F32 value;
  F32 slope;
};

/** gelu(x), tanh form, and its derivative: s + x s (1 - s) 2u' with s = (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)). */
Gelu gelu_of(F32 x) {
  const F32 twice = splat(1.5957691216057308f);  // 2 · sqrt(2/π)
  const F32 u2 = twice * fma(x * x, splat(0.044715f) * x, x);
  const F32 share = splat(1.0f) / (splat(1.0f) + exp(-u2));
  const F32 rest = splat(1.0f) / (splat(1.0f) + exp(u2));  // 1 - share, without cancellation
  const F32 steepness = twice * fma(x * x, splat(3 * 0.044715f), splat(1.0f));
  // Far out one of the two is next to nothing, and steepness grows without bound.
  const F32 size = u2 < splat(0.0f) ? -u2 : u2;
  const F32 bend = size > splat(60.0f) ? splat(0.0f) : x * share * rest * steepness;
  return {x * share, bend + share};
}

}  // namespace

void geglu_backward(const GegluBackwardArgs& args, size_t begin, size_t end) {
  size_t i = begin;
  for (; i + LANES <= end; i += LANES) {
    const F32 d = load(args.d_out + i), up = load(args.up + i);
    const Gelu gelu = gelu_of(load(args.gate + i));
    store(args.d_gate + i, d * up * gelu.slope);
    store(args.d_up + i, d * gelu.value);
  }
  if (i == end) return;
  const size_t left = end - i;
  const F32 d = load_partial(args.d_out + i, left), up = load_partial(args.up + i, left);
  const Gelu gelu = gelu_of(load_partial(args.gate + i, left));
  store_partial(args.d_gate + i, d * up * gelu.slope, left);
  store_partial(args.d_up + i, d * gelu.value, left);
}

}  // namespace gemma::GEMMA_ISA
