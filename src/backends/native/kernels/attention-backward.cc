// The gradients of attention. Contract: src/backend/ops/attention-backward.ts
//
// A head's queries come in blocks of QUERY_BLOCK. Scores, weights and their gradients of a block lie as [key][query], so that
// all that is done to them runs over queries side by side, and everything else is five products of matrices: in f32, or of
// factors rounded to bf16 where they are rounded and the CPU multiplies pairs of them.
#include <algorithm>
#include <cstring>

#include "kernels/attention-gradients-f32.h"
#include "kernels/attention-gradients-pairs.h"

namespace gemma::GEMMA_ISA {
namespace {

/** LANES queries: scores to weights, and gradients of weights to gradients of scores, times the scale. */
void soften(const AttentionBackwardArgs& args, const QueryBlock& block, const Scores& at, size_t i) {
  const I32 from = load_as<I32>(block.lows + i), to = load_as<I32>(block.highs + i);
  const F32 scale = splat(args.scale), hidden = splat(-INFINITE), none = splat(0);
  const float cap = args.soft_cap;
  const auto place = [&](size_t j) { return j * QUERY_BLOCK + i; };
  F32 top = hidden;
  for (size_t j = 0; j < block.keys(); j++) {
    const int32_t key = static_cast<int32_t>(block.low + j);
    F32 score = load(at.scores + place(j)) * scale;
    if (cap != 0) score = tanh(score / splat(cap)) * splat(cap);
    score = (from <= key) & (to > key) ? score : hidden;
    store(at.scores + place(j), score);
    top = max(score, top);
  }
  F32 sum = none;
  for (size_t j = 0; j < block.keys(); j++) {
    const F32 score = load(at.scores + place(j));
    const F32 weight = score == hidden ? none : exp(score - top);
    store(at.weights + place(j), weight);
    sum += weight;
  }
  const F32 factor = sum == none ? none : splat(1) / sum;
  F32 mean = none;
  for (size_t j = 0; j < block.keys(); j++) {
    const F32 weight = load(at.weights + place(j)) * factor;
    store(at.weights + place(j), weight);
    mean = fma(weight, load(at.slopes + place(j)), mean);
  }
  for (size_t j = 0; j < block.keys(); j++) {
    const F32 weight = load(at.weights + place(j));
    F32 slope = weight * (load(at.slopes + place(j)) - mean) * scale;
    if (cap != 0) {
      const F32 share = load(at.scores + place(j)) / splat(cap);
      slope = weight == none ? none : slope * (splat(1) - share * share);
    }
    store(at.slopes + place(j), slope);
  }
}

template <class Products>
void run_head(const Head& head, float* scratch) {
  const AttentionBackwardArgs& args = head.args;
  const AttentionSpan& span = head.span;
  std::fill_n(args.dk_parts + head.part(span.key_begin), span.keys() * head.dim, 0.0f);
  std::fill_n(args.dv_parts + head.part(span.key_begin), span.keys() * head.dim, 0.0f);
  if (span.query_begin == span.query_end) return;
  Products products(head, scratch);
  for (size_t row = span.query_begin; row < span.query_end; row += QUERY_BLOCK) {
    const QueryBlock block = head.block(row);
    if (block.low >= block.high) continue;
    products.score(block);
    for (size_t i = 0; i < QUERY_BLOCK; i += LANES) soften(args, block, products.at, i);
    products.add(block);
  }
}

}  // namespace

/** Item: a head of a sequence. */
void attention_backward(const AttentionBackwardArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const AttentionSpan& span = args.spans[item / args.query_heads];
    const Head head(args, span, item % args.query_heads);
    float* const scratch = args.scratch + span.scratch + head.head * AttentionScratch(head.dim, span.keys(), args.is_rounded).floats;
#if defined(__AVX512BF16__)
    if (args.is_rounded) {
      run_head<PairsProducts>(head, scratch);
      continue;
    }
#endif
    run_head<F32Products>(head, scratch);
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
