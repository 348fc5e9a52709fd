// Log-probabilities: of logits (logProbs), and of a head's rows without them (scoreIds).
#include <algorithm>
#include <cmath>
#include <limits>

#include "run-matmul.h"
#include "sample-args.h"

namespace gemma {

double log_sum_exp(const float* maxima, const double* sums, size_t blocks) {
  constexpr double none = -std::numeric_limits<double>::infinity();
  const double top = blocks == 0 ? none : *std::max_element(maxima, maxima + blocks);
  double total = 0;
  for (size_t i = 0; i < blocks; i++) {
    if (maxima[i] == top) {
      total += sums[i];
    } else if (maxima[i] > none) {
      total += sums[i] * std::exp(maxima[i] - top);
    }
  }
  return top + std::log(total);
}

namespace {

constexpr size_t CHUNK_ROWS = 32;  // times a block of ids: a chunk that is worth handing out

/** logProbs(backend, R, V, n, logProbs, start, topIds, start, topLogProbs, start, logits, start, targets, start) */
napi_value logProbs(Args& args) {
  Backend& backend = args.backend();
  const size_t count = args.size(), width = args.size(), n = args.size();
  if (n > width) throw Error{"ERR_RANGE", "native: logProbs' n must be at most " + std::to_string(width) + ", got " + std::to_string(n)};
  float* const log_probs = args.f32(count);
  int32_t* const top_ids = args.i32(multiply(count, n));
  float* const top_log_probs = args.f32(multiply(count, n));
  const float* const logits = args.f32(multiply(count, width));
  const int32_t* const targets = args.i32(count);

  std::vector<LogitRow>& rows = backend.ops.logit_rows;
  rows.resize(count);
  for (size_t r = 0; r < count; r++) rows[r] = {r, nullptr, 0, 1};
  const size_t blocks = block_count(width);
  const float* const maxima = find_maxima(backend, logits, width, rows);
  const double* const sums = sum_exponentials(backend, logits, width, rows, maxima);
  for_each_row(backend, count, [&](size_t r) {
    const float* const row = logits + r * width;
    const double normaliser = log_sum_exp(maxima + r * blocks, sums + r * blocks, blocks);
    const int32_t target = targets[r];
    const bool known = target >= 0 && static_cast<size_t>(target) < width;
    log_probs[r] = known ? static_cast<float>(row[target] - normaliser) : std::numeric_limits<float>::quiet_NaN();

    size_t i = 0;
    const auto put = [&](int32_t id) {
      top_ids[r * n + i] = id;
      top_log_probs[r * n + i++] = static_cast<float>(row[id] - normaliser);
    };
    for (const Candidate& candidate : most_likely({row, width, nullptr, maxima + r * blocks, blocks}, n)) put(candidate.id);
    for (size_t id = 0; i < n && id < width; id++) {
      if (!(row[id] > -std::numeric_limits<float>::infinity())) put(static_cast<int32_t>(id));
    }
  });
  return nullptr;
}

/**
 * scoreIds(backend, R, n, head, softCap or 0, logProbs, start, topIds, start, topLogProbs, start, x, start,
 *          rows, start, ids, start)
 */
napi_value scoreIds(Args& args) {
  Backend& backend = args.backend();
  const size_t count = args.size(), targets = args.size();
  const WeightView& head = args.weight().view;
  const float soft_cap = static_cast<float>(args.number());
  float* const log_probs = args.f32(targets);
  int32_t* const top_ids = args.i32(count);
  float* const top_log_probs = args.f32(count);
  const float* const x = args.f32(multiply(count, head.columns));
  const int32_t* const target_rows = args.i32(targets);
  const int32_t* const target_ids = args.i32(targets);
  std::fill_n(log_probs, targets, std::numeric_limits<float>::quiet_NaN());
  if (count == 0 || head.rows == 0) return nullptr;

  const size_t blocks = block_count(head.rows);
  float* const maxima = backend.ops.maxima.get<float>(multiply(count, blocks));
  int32_t* const best = backend.ops.best.get<int32_t>(multiply(count, blocks));
  double* const sums = backend.ops.sums.get<double>(multiply(count, blocks));
  const MatmulArgs product = product_args(backend, x, count, head);
  const ScoreIdsArgs score = {product, soft_cap, blocks, maxima, best, sums, targets, target_rows, target_ids, log_probs};
  const size_t row_blocks = (count + product.row_block - 1) / product.row_block;
  backend.run(backend.kernels.score_ids, score, blocks * row_blocks, CHUNK_ROWS / product.row_block + 1);

  double* const normalisers = backend.ops.normalisers.get<double>(count);
  backend.pool.parallel_for(count, 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r++) {
      const float* const row = maxima + r * blocks;
      normalisers[r] = log_sum_exp(row, sums + r * blocks, blocks);
      const size_t at = static_cast<size_t>(std::max_element(row, row + blocks) - row);
      top_ids[r] = best[r * blocks + at];
      top_log_probs[r] = static_cast<float>(row[at] - normalisers[r]);
    }
  });
  for (size_t t = 0; t < targets; t++) {
    const size_t row = static_cast<uint32_t>(target_rows[t]);
    if (row < count) log_probs[t] = static_cast<float>(log_probs[t] - normalisers[row]);
  }
  return nullptr;
}

}  // namespace

std::vector<Method> score_methods() { return {GEMMA_METHOD(logProbs), GEMMA_METHOD(scoreIds)}; }

}  // namespace gemma
