// The products of attention's gradients in f32.
#pragma once

#include "kernels/attention-gradients.h"
#include "kernels/product.h"

namespace gemma::GEMMA_ISA {

/** The five products of a block. */
class F32Products {
 public:
  F32Products(const Head& head, float* scratch) : head_(head) {
    const AttentionScratch layout(head.dim, head.span.keys(), false);
    queries_ = scratch + layout.queries;
    d_outs_ = scratch + layout.d_outs;
    at = {scratch + layout.scores, scratch + layout.weights, scratch + layout.slopes};
  }

  void score(const QueryBlock& block) {
    const AttentionBackwardArgs& args = head_.args;
    transpose(queries_, args.q, block);
    transpose(d_outs_, args.d_out, block);
    std::fill_n(at.scores, block.keys() * QUERY_BLOCK, 0.0f);
    std::fill_n(at.slopes, block.keys() * QUERY_BLOCK, 0.0f);
    const ProductSize size = {block.keys(), QUERY_BLOCK, head_.dim};
    add_product(at.scores, QUERY_BLOCK, {args.k + head_.key(block.low), head_.kv_width(), 1}, queries_, QUERY_BLOCK, size);
    add_product(at.slopes, QUERY_BLOCK, {args.v + head_.key(block.low), head_.kv_width(), 1}, d_outs_, QUERY_BLOCK, size);
  }

  void add(const QueryBlock& block) {
    const AttentionBackwardArgs& args = head_.args;
    const size_t dim = head_.dim, query = head_.query(block.row), part = head_.part(block.low), width = head_.width();
    const ProductSize keys = {block.keys(), dim, block.count};
    add_product(args.dv_parts + part, dim, {at.weights, QUERY_BLOCK, 1}, args.d_out + query, width, keys);
    add_product(args.dk_parts + part, dim, {at.slopes, QUERY_BLOCK, 1}, args.q + query, width, keys);
    add_product(args.dq + query, width, {at.slopes, 1, QUERY_BLOCK}, args.k + head_.key(block.low), head_.kv_width(),
                {block.count, dim, block.keys()});
  }

  Scores at;

 private:
  /** out [h][query]; zeros behind the block's queries. */
  void transpose(float* out, const float* from, const QueryBlock& block) const {
    std::fill_n(out, head_.dim * QUERY_BLOCK, 0.0f);
    for (size_t i = 0; i < block.count; i++) {
      const float* const own = from + head_.query(block.row + i);
      for (size_t h = 0; h < head_.dim; h++) out[h * QUERY_BLOCK + i] = own[h];
    }
  }

  const Head& head_;
  float* queries_;  // [H, QUERY_BLOCK]
  float* d_outs_;
};

}  // namespace gemma::GEMMA_ISA
