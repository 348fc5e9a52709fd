// Arguments of the kernels that bound logits from the upper plane of a split head (kernels/split.h). Row invariance holds
// as everywhere, and more: whatever these kernels find, the rows that they leave over include all that are wanted.
#pragma once

#include "kernels/matmul-args.h"

#define GEMMA_SCREEN_KERNELS(X) \
  X(screen, ScreenArgs)         \
  X(refine, RefineArgs)

namespace gemma {

constexpr float LEAST_NORM = 16;  // of lower nibbles; they have about 26, and 42 at most

/**
 * What a screen needs of a group of activations x = scale · quants. A logit is the sum over groups of
 *     weight scale · scale · (16 upper - 128 + 7.5 + e) · quants,  e = lower - 7.5
 * where |e · quants| <= |e| |quants| (Cauchy-Schwarz), and |e| is at most the row's norm.
 */
struct ScreenGroup {
  int8_t quants[Q8_GROUP];
  float scale;
  float upper_centre;  // scale · (7.5 - 128) · sum of the quants
  float lower_centre;  // scale · -7.5 · sum of the quants
  float reach;         // scale · |quants|, rounded up, and what rounding may add: what e can do, by norm
  float drop;          // of reach once the lower plane is known
};

/** Estimates logits, and by how much each may be wrong. Item: a panel. */
struct ScreenArgs {
  WeightView weight;          // split
  size_t rows;                // R
  const ScreenGroup* groups;  // [R, K / 32]
  float* estimates;           // [R, N]
  float* slacks;              // [R, N]
};

/** What refine learns of a panel's logits. */
enum class Found : uint8_t {
  at_once,    // below the threshold by the upper plane alone
  below,      // below it
  may_reach,  // one may reach it
};

/**
 * Reads as much of the lower plane as it takes to see that none of a panel's logits reaches the threshold, or all of it.
 * A NaN counts as reaching. Item: a panel.
 */
struct RefineArgs {
  WeightView weight;          // split
  const ScreenGroup* groups;  // [K / 32]
  const uint32_t* order;      // [K / 32], the groups that matter most first
  float* estimates;           // [N], refined in place
  float* slacks;              // [N], too
  float threshold;
  Found* found;  // [panels]
};

}  // namespace gemma
