// Rotary position embedding in place, split-half form. Contract: src/backend/ops/rope.ts
#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

void rope(const RopeArgs& args, size_t begin, size_t end) {
  const size_t half = args.head_dim / 2;
  const F32 direction = splat(args.direction);
  for (size_t t = begin; t < end; t++) {
    const float* const cosines = args.cosines + t * half;
    const float* const sines = args.sines + t * half;
    for (size_t head = 0; head < args.width; head += args.head_dim) {
      float* const low = args.x + t * args.width + head;
      float* const high = low + half;
      size_t i = 0;
      for (; i + LANES <= half; i += LANES) {
        const F32 a = load(low + i), b = load(high + i), c = load(cosines + i), s = direction * load(sines + i);
        store(low + i, fma(a, c, -(b * s)));
        store(high + i, fma(b, c, a * s));
      }
      if (i == half) continue;
      const size_t rest = half - i;
      const F32 a = load_partial(low + i, rest), b = load_partial(high + i, rest);
      const F32 c = load_partial(cosines + i, rest), s = direction * load_partial(sines + i, rest);
      store_partial(low + i, fma(a, c, -(b * s)), rest);
      store_partial(high + i, fma(b, c, a * s), rest);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
