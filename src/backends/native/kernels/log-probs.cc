// Sums of exponentials of each block: the normaliser of softmax. Contract: src/backend/ops/log-probs.ts; rest in addon-sample.cc
#include "kernels.h"
#include "kernels/logits.h"

namespace gemma::GEMMA_ISA {

// f32 within a block of 256, f64 across blocks.
void block_exp_sums(const LogitBlocksArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const LogitRow& row = args.rows[item / args.blocks];
    const F32 top = splat(row.max), inverse = splat(row.inverse_temperature);
    F32 total = splat(0);
    for_block(args, item, [&](F32 logits) {
      // The largest is 0 also when it is infinite.
      const F32 x = logits >= top ? splat(0) : (logits - top) * inverse;
      total += exp(x);
    });
    args.sums[item] = sum(total);
  }
}

}  // namespace gemma::GEMMA_ISA
