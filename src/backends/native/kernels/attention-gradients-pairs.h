// The products of attention's gradients on bf16 dot units.
#pragma once

#if defined(__AVX512BF16__)

#include "kernels/attention-gradients.h"
#include "kernels/pairs.h"

namespace gemma::GEMMA_ISA {

/** The five products of a block. Pairs are of h for scores, of queries for dk and dv, of keys for dq. */
class PairsProducts {
 public:
  PairsProducts(const Head& head, float* scratch) : head_(head), pairs_(AttentionScratch::pairs(head.dim)) {
    const AttentionScratch layout(head.dim, head.span.keys(), true);
    const auto words = [scratch](size_t at) { return reinterpret_cast<uint32_t*>(scratch + at); };
    at = {scratch + layout.scores, scratch + layout.weights, scratch + layout.slopes};
    queries_ = words(layout.queries);
    d_outs_ = words(layout.d_outs);
    query_rows_ = words(layout.query_rows);
    d_out_rows_ = words(layout.d_out_rows);
    keys_ = words(layout.keys);
    values_ = words(layout.values);
    key_rows_ = words(layout.key_rows);
    weight_pairs_ = words(layout.weight_pairs);
    slope_pairs_ = words(layout.slope_pairs);
    slope_rows_ = words(layout.slope_rows);
    const AttentionSpan& span = head.span;
    for (size_t j = 0; j < span.keys(); j++) {
      const size_t key = head.key(span.key_begin + j);
      pair_neighbours(head.args.k + key, head.dim, keys_ + j * pairs_);
      pair_neighbours(head.args.v + key, head.dim, values_ + j * pairs_);
      if (j % 2 != 0) continue;
      const float* const odd = j + 1 < span.keys() ? head.args.k + head.key(span.key_begin + j + 1) : nullptr;
      pair_rows(head.args.k + key, odd, head.dim, key_rows_ + j / 2 * AttentionScratch::padded(head.dim));
    }
  }

  void score(const QueryBlock& block) {
    transpose(queries_, head_.args.q, block);
    transpose(d_outs_, head_.args.d_out, block);
    std::fill_n(at.scores, block.keys() * QUERY_BLOCK, 0.0f);
    std::fill_n(at.slopes, block.keys() * QUERY_BLOCK, 0.0f);
    const size_t first = (block.low - head_.span.key_begin) * pairs_;
    add_pairs(at.scores, QUERY_BLOCK, {keys_ + first, pairs_, 1}, queries_, QUERY_BLOCK, block.keys(), QUERY_BLOCK, pairs_);
    add_pairs(at.slopes, QUERY_BLOCK, {values_ + first, pairs_, 1}, d_outs_, QUERY_BLOCK, block.keys(), QUERY_BLOCK, pairs_);
  }

  void add(const QueryBlock& block) {
    const AttentionBackwardArgs& args = head_.args;
    const size_t dim = head_.dim, padded = AttentionScratch::padded(dim), part = head_.part(block.low);
    pair_queries(query_rows_, args.q, block);
    pair_queries(d_out_rows_, args.d_out, block);
    constexpr size_t PAIRS = QUERY_BLOCK / 2;
    for (size_t j = 0; j < block.keys(); j++) {
      pair_neighbours(at.weights + j * QUERY_BLOCK, QUERY_BLOCK, weight_pairs_ + j * PAIRS);
      pair_neighbours(at.slopes + j * QUERY_BLOCK, QUERY_BLOCK, slope_pairs_ + j * PAIRS);
    }
    const size_t query_pairs = (block.count + 1) / 2;
    add_pairs(args.dv_parts + part, dim, {weight_pairs_, PAIRS, 1}, d_out_rows_, padded, block.keys(), dim, query_pairs);
    add_pairs(args.dk_parts + part, dim, {slope_pairs_, PAIRS, 1}, query_rows_, padded, block.keys(), dim, query_pairs);

    // Pairs of keys are those of the whole sequence: the first and the last may have half of one.
    const size_t before = (block.low - head_.span.key_begin) % 2, pairs = (before + block.keys() + 1) / 2;
    const auto slopes_of = [&](size_t j) {
      return j < before || j >= before + block.keys() ? nullptr : at.slopes + (j - before) * QUERY_BLOCK;
    };
    for (size_t p = 0; p < pairs; p++) {
      pair_rows(slopes_of(2 * p), slopes_of(2 * p + 1), QUERY_BLOCK, slope_rows_ + p * QUERY_BLOCK);
    }
    const uint32_t* const keys = key_rows_ + (block.low - head_.span.key_begin) / 2 * padded;
    add_pairs(args.dq + head_.query(block.row), head_.width(), {slope_rows_, 1, QUERY_BLOCK}, keys, padded, block.count, dim, pairs);
  }

  Scores at;

 private:
  /** out [pair of h][query]; zeros behind the block's queries. */
  void transpose(uint32_t* out, const float* from, const QueryBlock& block) const {
    for (size_t first = 0; first < QUERY_BLOCK; first += PAIR_LANES) {
      for (size_t i = first; i < first + PAIR_LANES; i++) {
        uint32_t* const row = rows_ + (i - first) * MAX_PAIRS;
        if (i < block.count) {
          pair_neighbours(from + head_.query(block.row + i), head_.dim, row);
        } else {
          std::fill_n(row, pairs_, 0u);
        }
      }
      for (size_t h = 0; h < pairs_; h += PAIR_LANES) {
        transpose_16(reinterpret_cast<const float*>(rows_ + h), MAX_PAIRS, reinterpret_cast<float*>(out + h * QUERY_BLOCK + first),
                     QUERY_BLOCK);
      }
    }
  }

  /** out [pair of queries][h] */
  void pair_queries(uint32_t* out, const float* from, const QueryBlock& block) const {
    const auto row = [&](size_t i) { return i < block.count ? from + head_.query(block.row + i) : nullptr; };
    for (size_t i = 0; i < block.count; i += 2) {
      pair_rows(row(i), row(i + 1), head_.dim, out + i / 2 * AttentionScratch::padded(head_.dim));
    }
  }

  static constexpr size_t MAX_PAIRS = MAX_HEAD_DIM / 2;

  const Head& head_;
  const size_t pairs_;    // of h, padded
  uint32_t* queries_;     // [pairs of h, QUERY_BLOCK]
  uint32_t* d_outs_;
  uint32_t* query_rows_;  // [QUERY_BLOCK / 2, H]
  uint32_t* d_out_rows_;
  uint32_t* keys_;        // [keys, pairs of h]
  uint32_t* values_;
  uint32_t* key_rows_;    // [pairs of keys, H]
  uint32_t* weight_pairs_;  // [keys, QUERY_BLOCK / 2]
  uint32_t* slope_pairs_;
  uint32_t* slope_rows_;  // [pairs of keys, QUERY_BLOCK]
  alignas(64) mutable uint32_t rows_[PAIR_LANES * MAX_PAIRS];
};

}  // namespace gemma::GEMMA_ISA

#endif
