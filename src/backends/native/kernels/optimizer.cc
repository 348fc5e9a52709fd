// What an optimizer step takes. Contracts: src/backend/ops/adam-w.ts, sum-squares.ts, scale.ts
#include <cmath>
#include <cstring>

#include "kernels.h"

namespace gemma::GEMMA_ISA {

void adam_w(const AdamWArgs& args, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    const float g = args.grad_scale * args.gradient[i];
    const float m = args.beta1 * args.m[i] + (1 - args.beta1) * g;
    const float v = args.beta2 * args.v[i] + (1 - args.beta2) * (g * g);
    args.m[i] = m;
    args.v[i] = v;
    args.parameter[i] =
        args.decay * args.parameter[i] - args.step_size * m / (std::sqrt(v) * args.correction + args.eps);
  }
}

void sum_squares(const SumSquaresArgs& args, size_t begin, size_t end) {
  for (size_t block = begin; block < end; block++) {
    const size_t first = block * SQUARES_BLOCK;
    const size_t last = SQUARES_BLOCK < args.elements - first ? first + SQUARES_BLOCK : args.elements;
    double sums[4] = {};
    size_t i = first;
    for (; i + 4 <= last; i += 4) {
      for (size_t j = 0; j < 4; j++) sums[j] += static_cast<double>(args.x[i + j]) * args.x[i + j];
    }
    for (; i < last; i++) sums[0] += static_cast<double>(args.x[i]) * args.x[i];
    args.sums[block] = sums[0] + sums[1] + (sums[2] + sums[3]);
  }
}

void scale(const ScaleArgs& args, size_t begin, size_t end) {
  if (args.factor == 0) {
    std::memset(args.out + begin, 0, (end - begin) * sizeof(float));
  } else if (args.factor == 1) {
    std::memmove(args.out + begin, args.x + begin, (end - begin) * sizeof(float));
  } else {
    for (size_t i = begin; i < end; i++) args.out[i] = args.factor * args.x[i];
  }
}

}  // namespace gemma::GEMMA_ISA
