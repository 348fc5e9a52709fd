// The head a block of ids at a time: logits that are looked at while they are in the cache.
#pragma once

#include "kernels/logits.h"
#include "kernels/matmul-item.h"
#include "kernels/soft-cap.h"

namespace gemma::GEMMA_ISA {

/** Item: block i % blocks of LOGIT_BLOCK ids, for the rows of block i / blocks. */
struct HeadBlock {
  size_t block;
  size_t first_id, ids;
  size_t row_begin, row_end;

  /** Fills `logits` [rows of the block, LOGIT_BLOCK], capped unless soft_cap is 0. */
  HeadBlock(const MatmulArgs& product, float soft_cap, size_t blocks, size_t item, float* logits)
      : block(item % blocks), first_id(block * LOGIT_BLOCK) {
    const size_t left = product.weight.rows - first_id;
    ids = left < LOGIT_BLOCK ? left : LOGIT_BLOCK;
    const size_t first = item / blocks * product.panels + first_id / PANEL_ROWS;
    for (size_t at = 0; at < ids; at += PANEL_ROWS) {
      multiply_item(product, MatmulItem(product, first + at / PANEL_ROWS), logits + at, LOGIT_BLOCK);
    }
    const MatmulItem all(product, first);
    row_begin = all.row_begin;
    row_end = all.row_end;
    if (soft_cap == 0) return;
    for (size_t row = 0; row < row_end - row_begin; row++) cap_softly(logits + row * LOGIT_BLOCK, 0, ids, soft_cap);
  }
};

struct Best {
  float logit;
  int32_t place;
};

/** The largest of `count` logits, and the first place where it is. */
inline Best best_of(const float* logits, size_t count) {
  F32 top = splat(-INFINITE);
  I32 where = {};
  for_logits(logits, 0, count, nullptr, [&, place = I32{}](F32 x) mutable {
    where = x > top ? place : where;
    top = max(x, top);
    place += 1;
  });
  Best best = {largest(top), 0};
  size_t place = SIZE_MAX;
  for (size_t lane = 0; lane < LANES; lane++) {
    const size_t at = static_cast<size_t>(where[lane]) * LANES + lane;
    if (top[lane] == best.logit && at < place) place = at;
  }
  best.place = static_cast<int32_t>(place);
  return best;
}

}  // namespace gemma::GEMMA_ISA
