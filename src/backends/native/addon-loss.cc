// The head, its losses and their gradients in one. Contract: src/backend/ops/cross-entropy.ts
#include <algorithm>
#include <cmath>
#include <limits>

#include "run-matmul.h"
#include "sample-args.h"

namespace gemma {
namespace {

// Where activations are rounded, so are gradients: ids less likely than 2^-22 are left out of them. In text they make up 0.1 % of
// the probability, less than bf16 rounds away.
const float LEAST_ROUNDED = -22 * std::log(2.0f);
constexpr size_t CHUNK_ROUNDED = 512, CHUNK_EXACT = 128;  // rows: all ids of these are kept
constexpr float LEAST_EXACT = -std::numeric_limits<float>::infinity();

/** Losses of a chunk's rows, and their normalisers, once its logits have been seen. */
void find_losses(const CrossEntropyArgs& chunk, double* normalisers, float* losses) {
  for (size_t r = 0; r < chunk.rows; r++) {
    const size_t target = static_cast<uint32_t>(chunk.targets[r]), first = r * chunk.blocks;
    const bool exists = target < chunk.product.weight.rows;
    normalisers[r] = log_sum_exp(chunk.maxima + first, chunk.sums + first, chunk.blocks);
    losses[r] = exists ? static_cast<float>(normalisers[r] - chunk.target_logits[r]) : 0;
    if (!exists) normalisers[r] = std::numeric_limits<double>::quiet_NaN();
  }
}

/** crossEntropy(backend, R, softCap or 0, head, trainsHead, losses, dx, dHead, x, targets, weights: each with its start) */
napi_value crossEntropy(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size();
  const float soft_cap = static_cast<float>(args.number());
  const WeightView& head = args.weight().view;
  const bool trains_head = args.boolean();
  const size_t width = head.columns;
  float* const losses = args.f32(rows);
  float* const dx = args.f32(multiply(rows, width));
  float* const d_head = args.f32(trains_head ? multiply(head.rows, width) : 0);
  const float* const x = args.f32(multiply(rows, width));
  const int32_t* const targets = args.i32(rows);
  const float* const weights = args.f32(rows);
  if (rows == 0) return nullptr;

  const size_t chunk_rows = backend.is_int8 ? CHUNK_ROUNDED : CHUNK_EXACT;
  const size_t most = std::min(rows, chunk_rows), blocks = block_count(head.rows);
  const size_t slots = multiply(multiply(blocks, most), LOGIT_BLOCK);
  LossState& state = backend.ops.loss;
  CrossEntropyArgs chunk = {};
  chunk.soft_cap = soft_cap;
  chunk.is_rounded = backend.is_int8;
  chunk.least = backend.is_int8 ? LEAST_ROUNDED : LEAST_EXACT;
  chunk.blocks = blocks;
  chunk.maxima = backend.ops.maxima.get<float>(multiply(most, blocks));
  chunk.sums = backend.ops.sums.get<double>(multiply(most, blocks));
  double* const normalisers = backend.ops.normalisers.get<double>(most);
  chunk.normalisers = normalisers;
  chunk.floors = state.floors.get<float>(most);
  chunk.target_logits = state.target_logits.get<float>(most);
  chunk.kept = state.kept.get<float>(slots);
  chunk.places = state.places.get<uint8_t>(slots);
  chunk.starts = state.starts.get<uint32_t>(multiply(blocks, most + 1));
  chunk.dx = state.parts.get<float>(multiply(multiply(HEAD_SEGMENTS, most), width));
  chunk.unpacked = state.unpacked.get<float>(HEAD_SEGMENTS * LOGIT_BLOCK * HEAD_COLUMNS);
  chunk.d_head = trains_head ? d_head : nullptr;
  const Kernels& kernels = backend.kernels;
  for (size_t first = 0; first < rows; first += most) {
    chunk.rows = std::min(most, rows - first);
    chunk.product = product_args(backend, x + first * width, chunk.rows, head);
    chunk.targets = targets + first;
    chunk.weights = weights + first;
    std::fill_n(chunk.floors, chunk.rows, LEAST_EXACT);
    backend.run(kernels.cross_entropy_logits, chunk, blocks, 1);
    find_losses(chunk, normalisers, losses + first);
    backend.run(kernels.cross_entropy_slopes, chunk, blocks, 8);
    backend.run(kernels.cross_entropy_gradients, chunk, HEAD_SEGMENTS, 1);
    const size_t elements = chunk.rows * width;
    backend.run(kernels.sum_segments, SumSegmentsArgs{dx + first * width, chunk.dx, elements}, elements, 4096);
  }
  return nullptr;
}

}  // namespace

std::vector<Method> loss_methods() { return {GEMMA_METHOD(crossEntropy)}; }

}  // namespace gemma
