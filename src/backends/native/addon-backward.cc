// Gradients: what training needs beside the forward operations.
#include <algorithm>

#include "addon.h"

namespace gemma {
namespace {

/** dOut rounded to bf16 for the dot units; nullptr where it is used as it is. */
const uint32_t* round_to_pairs(Backend& backend, const float* d_out, size_t rows, size_t width) {
  if (!backend.is_int8 || !backend.kernels.has_bf16_dots) return nullptr;
  PreparedX out = {};
  out.pairs = backend.x_scratch[0].pairs.get<uint32_t>(multiply(rows, x_pairs(width)));
  backend.run(backend.kernels.prepare_x, PrepareArgs{d_out, width, Form::bf16, true, out}, rows, 16);
  return out.pairs;
}

/** matmulBackward(backend, T, accumulate, weight, dx, start, dOut, start) */
napi_value matmulBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size();
  const bool accumulate = args.boolean();
  const WeightView& weight = args.weight().view;
  float* const dx = args.f32(multiply(rows, weight.columns));
  const float* const d_out = args.f32(multiply(rows, weight.rows));
  if (rows == 0) return nullptr;
  const uint32_t* const pairs = round_to_pairs(backend, d_out, rows, weight.rows);
  const size_t blocks = (rows + BACKWARD_ROW_BLOCK - 1) / BACKWARD_ROW_BLOCK;
  const MatmulBackwardArgs backward = {dx, weight, rows, d_out, pairs, accumulate, (rows + blocks - 1) / blocks};
  backend.run(backend.kernels.matmul_backward, backward, backward.items(), 1);
  return nullptr;
}

}  // namespace

std::vector<Method> backward_methods() { return {GEMMA_METHOD(matmulBackward)}; }

}  // namespace gemma
