// What the ways to compute gradients of attention share: where a head's rows lie, and what is computed of a block of them.
#pragma once

#include <algorithm>

#include "kernels.h"

namespace gemma::GEMMA_ISA {

/** Queries of one head, and the keys [low, high) that any of them sees: [lows[i], highs[i]) does query i. */
struct QueryBlock {
  size_t row, count;
  size_t low, high;
  alignas(64) int32_t lows[QUERY_BLOCK] = {}, highs[QUERY_BLOCK] = {};

  size_t keys() const { return high - low; }
};

/** One head of one sequence: where its rows lie. */
struct Head {
  const AttentionBackwardArgs& args;
  const AttentionSpan& span;
  const size_t head, dim;

  Head(const AttentionBackwardArgs& all, const AttentionSpan& own, size_t index)
      : args(all), span(own), head(index), dim(all.head_dim) {}

  size_t width() const { return args.query_heads * dim; }
  size_t kv_width() const { return args.kv_heads * dim; }
  size_t query(size_t row) const { return row * width() + head * dim; }
  size_t key(size_t row) const { return row * kv_width() + head / (args.query_heads / args.kv_heads) * dim; }
  /** Of dk_parts and dv_parts. */
  size_t part(size_t key_row) const { return (head * args.key_rows + key_row) * dim; }

  QueryBlock block(size_t row) const {
    QueryBlock block;
    block.row = row;
    block.count = std::min(QUERY_BLOCK, span.query_end - row);
    block.low = span.key_end;
    block.high = span.key_begin;
    for (size_t i = 0; i < block.count; i++) {
      const int64_t position = args.query_positions[row + i];
      const size_t from = args.window == 0 ? span.key_begin : key_above(position - static_cast<int64_t>(args.window));
      const size_t to = key_above(position);
      block.lows[i] = static_cast<int32_t>(from);
      block.highs[i] = static_cast<int32_t>(to);
      block.low = std::min(block.low, from);
      block.high = std::max(block.high, to);
    }
    return block;
  }

 private:
  /** The first key of the sequence whose position is larger. If positions do not ascend it is another one of them. */
  size_t key_above(int64_t position) const {
    const int32_t* const begin = args.key_positions + span.key_begin;
    const int32_t* const end = args.key_positions + span.key_end;
    return span.key_begin + static_cast<size_t>(std::upper_bound(begin, end, position) - begin);
  }
};

/** What a block computes, as [key][query]: rows are keys from block.low on. */
struct Scores {
  float* scores;   // capped; hidden ones are minus infinity
  float* weights;
  float* slopes;   // gradients of weights, then of scores
};

}  // namespace gemma::GEMMA_ISA
