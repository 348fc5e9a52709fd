// The most likely ids of each block of a head's outputs. Contract: src/backend/ops/choose-ids.ts; rest in addon-choose.cc
#include <cstring>

#include "kernels/head-block.h"

namespace gemma::GEMMA_ISA {

void choose_ids(const ChooseIdsArgs& args, size_t begin, size_t end) {
  float logits[ROW_BLOCK * LOGIT_BLOCK];
  for (size_t i = begin; i < end; i++) {
    const HeadBlock all(args.product, args.soft_cap, args.blocks, i, logits);
    for (size_t row = all.row_begin; row < all.row_end; row++) {
      const float* const own = logits + (row - all.row_begin) * LOGIT_BLOCK;
      const Best best = best_of(own, all.ids);
      const size_t at = row * args.blocks + all.block;
      args.maxima[at] = best.logit;
      args.best[at] = static_cast<int32_t>(all.first_id) + best.place;
      if (args.kept[row] != nullptr) std::memcpy(args.kept[row] + all.first_id, own, all.ids * sizeof(float));
    }
  }
}

}  // namespace gemma::GEMMA_ISA
