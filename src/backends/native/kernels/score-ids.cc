// Log-probabilities without logits: each block of the head's outputs is summed up while it is in the cache.
// Contract: src/backend/ops/score-ids.ts; rest in addon-score.cc
#include "kernels/head-block.h"

namespace gemma::GEMMA_ISA {

void score_ids(const ScoreIdsArgs& args, size_t begin, size_t end) {
  float logits[ROW_BLOCK * LOGIT_BLOCK];
  for (size_t i = begin; i < end; i++) {
    const HeadBlock all(args.product, args.soft_cap, args.blocks, i, logits);
    for (size_t row = all.row_begin; row < all.row_end; row++) {
      const float* const own = logits + (row - all.row_begin) * LOGIT_BLOCK;
      const Best best = best_of(own, all.ids);
      const size_t at = row * args.blocks + all.block;
      args.maxima[at] = best.logit;
      args.best[at] = static_cast<int32_t>(all.first_id) + best.place;
      args.sums[at] = exp_sum(own, 0, all.ids, nullptr, best.logit, 1);
    }
    for (size_t t = 0; t < args.targets; t++) {
      const size_t row = static_cast<uint32_t>(args.target_rows[t]), id = static_cast<uint32_t>(args.target_ids[t]);
      if (row < all.row_begin || row >= all.row_end || id < all.first_id || id >= all.first_id + all.ids) continue;
      args.target_logits[t] = logits[(row - all.row_begin) * LOGIT_BLOCK + id - all.first_id];
    }
  }
}

}  // namespace gemma::GEMMA_ISA
