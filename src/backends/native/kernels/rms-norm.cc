// out = x / sqrt(mean(x²) + eps) · (1 + weight), row by row. Contract: src/backend/ops/rms-norm.ts
#include <cmath>

#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {
namespace {

// f32 within 512 elements, f64 across them: as exact as an f64 sum for this purpose, at the speed of f32.
double sum_of_squares(const float* x, size_t width) {
  double total = 0;
  for (size_t block = 0; block < width; block += 512) {
    const size_t end = block + 512 < width ? block + 512 : width;
    F32 even = splat(0), odd = splat(0);
    size_t i = block;
    for (; i + 2 * LANES <= end; i += 2 * LANES) {
      const F32 a = load(x + i), b = load(x + i + LANES);
      even = fma(a, a, even);
      odd = fma(b, b, odd);
    }
    for (; i < end; i += LANES) {
      const F32 a = i + LANES <= end ? load(x + i) : load_partial(x + i, end - i);
      even = fma(a, a, even);
    }
    total += sum(even + odd);
  }
  return total;
}

}  // namespace

void rms_norm(const RmsNormArgs& args, size_t begin, size_t end) {
  const size_t width = args.width;
  for (size_t t = begin; t < end; t++) {
    const float* const x = args.x + t * width;
    const double mean = sum_of_squares(x, width) / static_cast<double>(width);
    const F32 factor = splat(static_cast<float>(1.0 / std::sqrt(mean + args.eps)));
    map2(args.out + t * width, x, args.weight, 0, width,
         [factor](F32 v, F32 weight) { return v * factor * (splat(1.0f) + weight); });
  }
}

}  // namespace gemma::GEMMA_ISA
