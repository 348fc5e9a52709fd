// Gradients: what training needs beside the forward operations.
#include <algorithm>
#include <cmath>

#include "addon.h"

namespace gemma {
namespace {

// Elements of a chunk: a few microseconds of work.
constexpr size_t CHEAP = size_t{1} << 15;
constexpr size_t COSTLY = size_t{1} << 13;

size_t row_grain(size_t width) { return std::max<size_t>(1, COSTLY / std::max<size_t>(1, width)); }
size_t column_items(size_t width) { return (width + SUM_COLUMNS - 1) / SUM_COLUMNS; }

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

/** rmsNormBackward(backend, T, D, eps, accumulate, hasWeight, dx, start, dWeight, start, dOut, start, x, start, weight, start) */
napi_value rmsNormBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size();
  const double eps = args.number();
  const bool accumulate = args.boolean(), trains_weight = args.boolean();
  const size_t elements = multiply(rows, width);
  float* const dx = args.f32(elements);
  float* const d_weight = args.f32(trains_weight ? width : 0);
  const float* const d_out = args.f32(elements);
  const float* const x = args.f32(elements);
  const float* const weight = args.f32(width);
  if (elements == 0) return nullptr;
  float* const factors = trains_weight ? backend.ops.factors.get<float>(rows) : nullptr;
  if (trains_weight) {
    // dx may lie where dOut does, so the weight's gradient comes first; it needs each row's factor.
    backend.run(backend.kernels.row_factors, RowFactorsArgs{factors, x, width, eps}, rows, row_grain(width));
    const NormWeightArgs sums = {d_weight, d_out, x, factors, rows, width};
    backend.run(backend.kernels.norm_weight_backward, sums, column_items(width), 1);
  }
  const RmsNormBackwardArgs backward = {dx, d_out, x, weight, width, eps, accumulate};
  backend.run(backend.kernels.rms_norm_backward, backward, rows, row_grain(width));
  return nullptr;
}

/** gegluBackward(backend, T, F, dGate, start, dUp, start, dOut, start, gate, start, up, start) */
napi_value gegluBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), elements = multiply(rows, width);
  float* const d_gate = args.f32(elements);
  float* const d_up = args.f32(elements);
  const float* const d_out = args.f32(elements);
  const float* const gate = args.f32(elements);
  const float* const up = args.f32(elements);
  backend.run(backend.kernels.geglu_backward, GegluBackwardArgs{d_gate, d_up, d_out, gate, up}, elements, COSTLY);
  return nullptr;
}

void add_outer(Backend& backend, const SumOuterArgs& outer) {
  backend.run(backend.kernels.sum_outer, outer, outer.items(), 1);
}

/** matmulWeightBackward(backend, T, N, K, dWeight, start, dOut, start, x, start) */
napi_value matmulWeightBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t terms = args.size(), outputs = args.size(), width = args.size();
  float* const d_weight = args.f32(multiply(outputs, width));
  const float* const d_out = args.f32(multiply(terms, outputs));
  const float* const x = args.f32(multiply(terms, width));
  if (width == 0) return nullptr;
  add_outer(backend, {d_weight, d_out, x, outputs, width, terms, width, 1, 1});
  return nullptr;
}

/** loraDeltaBackward(backend, T, K, N, r, scale, wantsX, accumulate, da, db, dx, dOut, x, a, b: each with its start) */
napi_value loraDeltaBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), outputs = args.size(), rank = args.size();
  const float scale = static_cast<float>(args.number());
  const bool wants_x = args.boolean(), accumulate = args.boolean();
  float* const da = args.f32(multiply(rank, width));
  float* const db = args.f32(multiply(outputs, rank));
  float* const dx = args.f32(wants_x ? multiply(rows, width) : 0);
  const float* const d_out = args.f32(multiply(rows, outputs));
  const float* const x = args.f32(multiply(rows, width));
  const float* const a = args.f32(multiply(rank, width));
  const float* const b = args.f32(multiply(outputs, rank));
  const size_t ranks = multiply(rows, rank);
  if (rows == 0 || width == 0 || outputs == 0 || rank == 0) return nullptr;
  const Kernels& kernels = backend.kernels;
  float* const inner = backend.ops.lora_ranks.get<float>(ranks);      // A x
  float* const outer = backend.ops.lora_gradients.get<float>(ranks);  // scale · Bᵀ dOut
  backend.run(kernels.lora_down, LoraDownArgs{inner, x, a, rank, width}, rows, row_grain(multiply(width, rank) / 4));
  const size_t grain = row_grain(multiply(outputs, rank) / 4);
  backend.run(kernels.rows_times, RowsTimesArgs{outer, d_out, b, outputs, rank, scale, false}, rows, grain);
  add_outer(backend, {da, outer, x, rank, width, rows, width, 1, 1});
  add_outer(backend, {db, inner, d_out, rank, outputs, rows, 1, rank, scale});
  if (!wants_x) return nullptr;
  const RowsTimesArgs times = {dx, outer, a, rank, width, 1, accumulate};
  backend.run(kernels.rows_times, times, rows, row_grain(multiply(width, rank) / 4));
  return nullptr;
}

/** scatterAdd(backend, R, T, D, scale, out, start, rows, start, indices, start) */
napi_value scatterAdd(Args& args) {
  Backend& backend = args.backend();
  const size_t row_count = args.size(), count = args.size(), width = args.size();
  const double scale = args.number();
  float* const out = args.f32(multiply(count, width));
  const float* const rows = args.f32(multiply(row_count, width));
  const int32_t* const indices = args.i32(row_count);
  const ScatterAddArgs scatter = {out, rows, indices, row_count, count, width, scale};
  backend.run(backend.kernels.scatter_add, scatter, column_items(width), 1);
  return nullptr;
}

/** adamW(backend, n, learningRate, beta1, beta2, eps, weightDecay, step, gradScale, parameter, start, m, start, v, start, gradient, start) */
napi_value adamW(Args& args) {
  Backend& backend = args.backend();
  const size_t elements = args.size();
  const double rate = args.number(), beta1 = args.number(), beta2 = args.number(), eps = args.number();
  const double decay = args.number(), step = args.number(), grad_scale = args.number();
  float* const parameter = args.f32(elements);
  float* const m = args.f32(elements);
  float* const v = args.f32(elements);
  const float* const gradient = args.f32(elements);
  const auto f32 = [](double value) { return static_cast<float>(value); };
  const AdamWArgs update = {parameter,
                            m,
                            v,
                            gradient,
                            f32(grad_scale),
                            f32(beta1),
                            f32(beta2),
                            f32(1 - rate * decay),
                            f32(rate / (1 - std::pow(beta1, step))),
                            f32(1 / std::sqrt(1 - std::pow(beta2, step))),
                            f32(eps)};
  backend.run(backend.kernels.adam_w, update, elements, COSTLY);
  return nullptr;
}

/** sumSquares(backend, n, out, start, x, start) */
napi_value sumSquares(Args& args) {
  Backend& backend = args.backend();
  const size_t elements = args.size();
  float* const out = args.f32(1);
  const float* const x = args.f32(elements);
  const size_t blocks = (elements + SQUARES_BLOCK - 1) / SQUARES_BLOCK;
  double* const sums = backend.ops.squares.get<double>(blocks);
  backend.run(backend.kernels.sum_squares, SumSquaresArgs{sums, x, elements}, blocks, 1);
  double total = 0;
  for (size_t i = 0; i < blocks; i++) total += sums[i];
  out[0] = static_cast<float>(total);
  return nullptr;
}

/** scale(backend, n, factor, out, start, x, start) */
napi_value scale(Args& args) {
  Backend& backend = args.backend();
  const size_t elements = args.size();
  const float factor = static_cast<float>(args.number());
  float* const out = args.f32(elements);
  const float* const x = args.f32(elements);
  backend.run(backend.kernels.scale, ScaleArgs{out, x, factor}, elements, CHEAP);
  return nullptr;
}

}  // namespace

std::vector<Method> backward_methods() {
  return {GEMMA_METHOD(matmulBackward), GEMMA_METHOD(matmulWeightBackward), GEMMA_METHOD(loraDeltaBackward),
          GEMMA_METHOD(rmsNormBackward), GEMMA_METHOD(gegluBackward),
          GEMMA_METHOD(scatterAdd),     GEMMA_METHOD(adamW),           GEMMA_METHOD(sumSquares),
          GEMMA_METHOD(scale)};
}

}  // namespace gemma
