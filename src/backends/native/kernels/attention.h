// What the ways to compute attention share: the rows of a tile, and sums over a part of a row's keys.
#pragma once

#include <algorithm>

#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {

/** R (row, head) pairs of a block that share a key/value head. */
template <size_t R>
struct TileRows {
  const float* q[R];            // [H] each
  int64_t low[R], high[R];      // keys [low, high) that the row sees
  int64_t all_low, all_high;    // that any of them sees
};

/** What a tile has summed up: weights are exp(score - largest). */
template <size_t R>
struct TileSums {
  float acc[R * MAX_HEAD_DIM];  // [R][H rounded up to 16], weights · values
  float largest[R];
  F32 sums[R];                  // of weights, per lane; added up at the end

  void clear(size_t padded) {
    std::fill(acc, acc + R * padded, 0.0f);
    std::fill(largest, largest + R, -INFINITE);
    for (F32& sum : sums) sum = splat(0);
  }
};

inline size_t padded_head(size_t head_dim) { return (head_dim + PAGE_ROWS - 1) / PAGE_ROWS * PAGE_ROWS; }

/** Adds a later part of the keys to what a row has: both are brought to the same largest score. */
inline void merge(float* acc, AttentionState& state, const float* part_acc, AttentionState part, size_t head_dim) {
  if (part.sum == 0) return;  // saw no key
  if (state.sum == 0) {
    std::copy(part_acc, part_acc + head_dim, acc);
    state = part;
    return;
  }
  const float largest = std::max(state.largest, part.largest);
  const F32 before = splat(exp(splat(state.largest - largest))[0]), now = splat(exp(splat(part.largest - largest))[0]);
  map2(acc, acc, part_acc, 0, head_dim, [&](F32 a, F32 b) { return fma(b, now, a * before); });
  state = {largest, fma(splat(part.sum), now, splat(state.sum) * before)[0]};
}

/** Sums to averages, in place; zeros where no key was seen. */
inline void finish(float* acc, AttentionState state, size_t head_dim) {
  if (state.sum == 0) {
    std::fill(acc, acc + head_dim, 0.0f);
    return;
  }
  const F32 factor = splat(1 / state.sum);
  map2(acc, acc, acc, 0, head_dim, [factor](F32 x, F32) { return x * factor; });
}

}  // namespace gemma::GEMMA_ISA
