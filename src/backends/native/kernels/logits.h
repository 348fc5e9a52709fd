// Walks a block of a row of logits.
#pragma once

#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

/** Calls f(F32) on the logits of a block, in order; minus infinity where masked, NaN or beyond the row. */
template <class Fn>
inline void for_block(const LogitBlocksArgs& args, size_t item, const Fn& f) {
  const LogitRow& row = args.rows[item / args.blocks];
  const float* const logits = args.logits + row.row * args.width;
  const size_t begin = item % args.blocks * LOGIT_BLOCK;
  const size_t end = begin + LOGIT_BLOCK < args.width ? begin + LOGIT_BLOCK : args.width;
  const F32 none = splat(-INFINITE);
  U32 bit, lane;
  for (uint32_t i = 0; i < LANES; i++) {
    lane[i] = i;
    bit[i] = 1u << i;
  }
  for (size_t i = begin; i < end; i += LANES) {
    const size_t count = end - i;
    F32 x = count >= LANES ? load(logits + i) : load_partial(logits + i, count);
    x = max(x, none);  // NaN becomes minus infinity
    if (count < LANES) x = lane < static_cast<uint32_t>(count) ? x : none;
    if (row.mask != nullptr) x = (bit & (row.mask[i / 32] >> i % 32)) != 0 ? x : none;
    f(x);
  }
}

}  // namespace gemma::GEMMA_ISA
