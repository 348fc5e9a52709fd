// Gradients of rmsNorm, row by row. Contract: src/backend/ops/rms-norm-backward.ts
#include <cmath>

#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t BLOCK = 512;  // elements that are summed in f32; blocks are joined in f64

struct RowSums {
  double squares;  // x²
  double along;    // dOut · (1 + weight) · x
};

RowSums sums_of(const float* d_out, const float* x, const float* weight, size_t width) {
  RowSums total = {0, 0};
  for (size_t block = 0; block < width; block += BLOCK) {
    const size_t end = block + BLOCK < width ? block + BLOCK : width;
    F32 squares = splat(0), along = splat(0);
    for (size_t i = block; i < end; i += LANES) {
      const size_t left = end - i;
      const bool whole = left >= LANES;
      const F32 v = whole ? load(x + i) : load_partial(x + i, left);
      const F32 d = whole ? load(d_out + i) : load_partial(d_out + i, left);
      const F32 w = whole ? load(weight + i) : load_partial(weight + i, left);
      squares = fma(v, v, squares);
      along = fma(d * (splat(1.0f) + w), v, along);
    }
    total.squares += sum(squares);
    total.along += sum(along);
  }
  return total;
}

}  // namespace

void rms_norm_backward(const RmsNormBackwardArgs& args, size_t begin, size_t end) {
  const size_t width = args.width;
  for (size_t t = begin; t < end; t++) {
    const float* const x = args.x + t * width;
    const float* const d_out = args.d_out + t * width;
    float* const dx = args.dx + t * width;
    const RowSums sums = sums_of(d_out, x, args.weight, width);
    const double mean = sums.squares / static_cast<double>(width), factor = 1.0 / std::sqrt(mean + args.eps);
    const F32 scale = splat(static_cast<float>(factor));
    const F32 along = splat(static_cast<float>(factor * factor * sums.along / static_cast<double>(width)));
    const bool accumulate = args.accumulate;
    const auto gradient = [&](F32 v, F32 d, F32 w, F32 before) {
      const F32 g = d * (splat(1.0f) + w);
      return fma(scale, g - v * along, accumulate ? before : splat(0));
    };
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) {
      store(dx + i, gradient(load(x + i), load(d_out + i), load(args.weight + i), load(dx + i)));
    }
    if (i == width) continue;
    const size_t left = width - i;
    store_partial(dx + i,
                  gradient(load_partial(x + i, left), load_partial(d_out + i, left), load_partial(args.weight + i, left),
                           load_partial(dx + i, left)),
                  left);
  }
}

void row_factors(const RowFactorsArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    const float* const x = args.x + t * args.width;
    double squares = 0;
    for (size_t i = 0; i < args.width; i++) squares += static_cast<double>(x[i]) * x[i];
    args.factors[t] = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(args.width) + args.eps));
  }
}

void norm_weight_backward(const NormWeightArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const size_t first = item * SUM_COLUMNS;
    const size_t columns = SUM_COLUMNS < args.width - first ? SUM_COLUMNS : args.width - first;
    double sums[SUM_COLUMNS] = {};
    for (size_t t = 0; t < args.rows; t++) {
      const float* const d_out = args.d_out + t * args.width + first;
      const float* const x = args.x + t * args.width + first;
      for (size_t i = 0; i < columns; i++) sums[i] += static_cast<double>(d_out[i] * x[i] * args.factors[t]);
    }
    for (size_t i = 0; i < columns; i++) {
      args.d_weight[first + i] = static_cast<float>(args.d_weight[first + i] + sums[i]);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
