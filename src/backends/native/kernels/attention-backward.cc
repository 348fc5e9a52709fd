// The gradients of attention. Contract: src/backend/ops/attention-backward.ts
//
// A head's queries come in blocks of QUERY_BLOCK. Scores, weights and their gradients of a block lie as [key][query], so that
// all that is done to them runs over queries side by side, and everything else is five products of matrices.
#include <algorithm>
#include <cstring>

#include "kernels.h"
#include "kernels/product.h"

namespace gemma::GEMMA_ISA {
namespace {

/** One head of one sequence, and the memory it works in. */
class Head {
 public:
  Head(const AttentionBackwardArgs& args, const AttentionSpan& span, size_t head, float* scratch)
      : args_(args), span_(span), head_(head), kv_head_(head / (args.query_heads / args.kv_heads)), dim_(args.head_dim) {
    queries_ = scratch;
    d_outs_ = queries_ + dim_ * QUERY_BLOCK;
    scores_ = d_outs_ + dim_ * QUERY_BLOCK;
    weights_ = scores_ + span.keys() * QUERY_BLOCK;
    slopes_ = weights_ + span.keys() * QUERY_BLOCK;
  }

  void run() {
    const size_t first = (head_ * args_.key_rows + span_.key_begin) * dim_;
    std::fill_n(args_.dk_parts + first, span_.keys() * dim_, 0.0f);
    std::fill_n(args_.dv_parts + first, span_.keys() * dim_, 0.0f);
    for (size_t row = span_.query_begin; row < span_.query_end; row += QUERY_BLOCK) {
      block(row, std::min(QUERY_BLOCK, span_.query_end - row));
    }
  }

 private:
  void block(size_t row, size_t count) {
    int32_t lows[QUERY_BLOCK] = {}, highs[QUERY_BLOCK] = {};
    size_t low = span_.key_end, high = span_.key_begin;
    for (size_t i = 0; i < count; i++) {
      const size_t from = first_key(row + i), to = behind_keys(row + i);
      lows[i] = static_cast<int32_t>(from);
      highs[i] = static_cast<int32_t>(to);
      low = std::min(low, from);
      high = std::max(high, to);
      std::fill_n(args_.dq + at(row + i), dim_, 0.0f);
    }
    if (low >= high) return;
    const size_t keys = high - low, kv_width = args_.kv_heads * dim_, width = args_.query_heads * dim_;
    transpose(queries_, args_.q, row, count);
    transpose(d_outs_, args_.d_out, row, count);
    const float* const k = args_.k + low * kv_width + kv_head_ * dim_;
    const float* const v = args_.v + low * kv_width + kv_head_ * dim_;
    std::fill_n(scores_, keys * QUERY_BLOCK, 0.0f);
    std::fill_n(slopes_, keys * QUERY_BLOCK, 0.0f);
    add_product(scores_, QUERY_BLOCK, {k, kv_width, 1}, queries_, QUERY_BLOCK, {keys, QUERY_BLOCK, dim_});
    add_product(slopes_, QUERY_BLOCK, {v, kv_width, 1}, d_outs_, QUERY_BLOCK, {keys, QUERY_BLOCK, dim_});
    for (size_t i = 0; i < QUERY_BLOCK; i += LANES) soften(i, lows, highs, low, keys);

    const size_t part = (head_ * args_.key_rows + low) * dim_;
    const float* const d_out = args_.d_out + at(row);
    add_product(args_.dv_parts + part, dim_, {weights_, QUERY_BLOCK, 1}, d_out, width, {keys, dim_, count});
    add_product(args_.dk_parts + part, dim_, {slopes_, QUERY_BLOCK, 1}, args_.q + at(row), width, {keys, dim_, count});
    add_product(args_.dq + at(row), width, {slopes_, 1, QUERY_BLOCK}, k, kv_width, {count, dim_, keys});
  }

  /** LANES queries: scores to weights, and gradients of weights to gradients of scores, times the scale. */
  void soften(size_t i, const int32_t* lows, const int32_t* highs, size_t low, size_t keys) {
    const I32 from = load_as<I32>(lows + i), to = load_as<I32>(highs + i);
    const F32 scale = splat(args_.scale), hidden = splat(-INFINITE), none = splat(0);
    const float cap = args_.soft_cap;
    const auto place = [&](size_t j) { return j * QUERY_BLOCK + i; };
    F32 top = hidden;
    for (size_t j = 0; j < keys; j++) {
      const int32_t key = static_cast<int32_t>(low + j);
      F32 score = load(scores_ + place(j)) * scale;
      if (cap != 0) score = tanh(score / splat(cap)) * splat(cap);
      score = (from <= key) & (to > key) ? score : hidden;
      store(scores_ + place(j), score);
      top = max(score, top);
    }
    F32 sum = none;
    for (size_t j = 0; j < keys; j++) {
      const F32 score = load(scores_ + place(j));
      const F32 weight = score == hidden ? none : exp(score - top);
      store(weights_ + place(j), weight);
      sum += weight;
    }
    const F32 factor = sum == none ? none : splat(1) / sum;
    F32 mean = none;
    for (size_t j = 0; j < keys; j++) {
      const F32 weight = load(weights_ + place(j)) * factor;
      store(weights_ + place(j), weight);
      mean = fma(weight, load(slopes_ + place(j)), mean);
    }
    for (size_t j = 0; j < keys; j++) {
      const F32 weight = load(weights_ + place(j));
      F32 slope = weight * (load(slopes_ + place(j)) - mean) * scale;
      if (cap != 0) {
        const F32 share = load(scores_ + place(j)) / splat(cap);
        slope = weight == none ? none : slope * (splat(1) - share * share);
      }
      store(slopes_ + place(j), slope);
    }
  }

  /** out [h][query] of rows [row, row + count); zeros behind them. */
  void transpose(float* out, const float* from, size_t row, size_t count) const {
    std::fill_n(out, dim_ * QUERY_BLOCK, 0.0f);
    for (size_t i = 0; i < count; i++) {
      const float* const own = from + at(row + i);
      for (size_t h = 0; h < dim_; h++) out[h * QUERY_BLOCK + i] = own[h];
    }
  }

  size_t at(size_t row) const { return (row * args_.query_heads + head_) * dim_; }

  // Positions ascend within a sequence; if they do not, the range is another one, within the sequence still.

  size_t first_key(size_t row) const {
    if (args_.window == 0) return span_.key_begin;
    const int64_t least = int64_t{args_.query_positions[row]} - static_cast<int64_t>(args_.window);
    return position_above(least);
  }

  size_t behind_keys(size_t row) const { return position_above(args_.query_positions[row]); }

  /** The first key of the sequence whose position is larger. */
  size_t position_above(int64_t position) const {
    const int32_t* const begin = args_.key_positions + span_.key_begin;
    const int32_t* const end = args_.key_positions + span_.key_end;
    return span_.key_begin + static_cast<size_t>(std::upper_bound(begin, end, position) - begin);
  }

  const AttentionBackwardArgs& args_;
  const AttentionSpan& span_;
  const size_t head_, kv_head_, dim_;
  float* queries_;  // [H, QUERY_BLOCK]
  float* d_outs_;   // [H, QUERY_BLOCK]
  float* scores_;   // [keys, QUERY_BLOCK], capped; hidden ones are minus infinity
  float* weights_;  // [keys, QUERY_BLOCK]
  float* slopes_;   // [keys, QUERY_BLOCK], gradients of weights, then of scores
};

}  // namespace

/** Item: a head of a sequence. */
void attention_backward(const AttentionBackwardArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const AttentionSpan& span = args.spans[item / args.query_heads];
    const size_t head = item % args.query_heads;
    Head(args, span, head, args.scratch + span.scratch + head * span.scratch_floats(args.head_dim)).run();
  }
}

/** dk and dv of a key row: sums over the heads that share it. Item: a row. */
void sum_heads(const AttentionBackwardArgs& args, size_t begin, size_t end) {
  const size_t dim = args.head_dim, shared = args.query_heads / args.kv_heads;
  for (size_t row = begin; row < end; row++) {
    for (size_t kv_head = 0; kv_head < args.kv_heads; kv_head++) {
      for (const auto& [out, parts] : {std::pair(args.dk, args.dk_parts), std::pair(args.dv, args.dv_parts)}) {
        float* const own = out + (row * args.kv_heads + kv_head) * dim;
        for (size_t i = 0; i < shared; i++) {
          const float* const part = parts + ((kv_head * shared + i) * args.key_rows + row) * dim;
          if (i == 0) {
            std::memcpy(own, part, dim * sizeof(float));
          } else {
            map2(own, own, part, 0, dim, [](F32 a, F32 b) { return a + b; });
          }
        }
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
