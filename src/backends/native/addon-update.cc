// What training does to parameters and gradients beside computing them.
#include <cmath>

#include "addon.h"
#include "grain.h"
#include "random.h"

namespace gemma {
namespace {

constexpr int64_t MAX_INTEGER = (int64_t{1} << 53) - 1;  // that a number holds exactly

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

/** dropout(backend, n, rate, seed, first, out, start, x, start) */
napi_value dropout(Args& args) {
  Backend& backend = args.backend();
  const size_t elements = args.size();
  const double rate = args.number();
  const auto seed = static_cast<uint64_t>(args.integer(0, MAX_INTEGER));
  const auto first = static_cast<uint64_t>(args.integer(0, MAX_INTEGER));
  float* const out = args.f32(elements);
  const float* const x = args.f32(elements);
  const DropoutArgs drop = {out, x, mix64(seed), first, rate, static_cast<float>(1 / (1 - rate))};
  backend.run(backend.kernels.dropout, drop, elements, COSTLY);
  return nullptr;
}

/** packWeight(backend, weight, values, start) */
napi_value packWeight(Args& args) {
  Backend& backend = args.backend();
  Weight& weight = args.weight();
  const WeightView& view = weight.view;
  if (!is_dense(view.form)) throw Error{"ERR_INVALID_DTYPE", "native: packWeight's weight must not be quantised"};
  const float* const values = args.f32(multiply(view.rows, view.columns));
  const PackWeightArgs pack = {weight.memory.data, view.panel_bytes, values, view.rows, view.columns, view.form};
  backend.run(backend.kernels.pack_weight, pack, (view.rows + PANEL_ROWS - 1) / PANEL_ROWS, 1);
  return nullptr;
}

}  // namespace

std::vector<Method> update_methods() {
  return {GEMMA_METHOD(adamW), GEMMA_METHOD(sumSquares), GEMMA_METHOD(scale), GEMMA_METHOD(dropout), GEMMA_METHOD(packWeight)};
}

}  // namespace gemma
