// Arguments of the kernels of crossEntropy: the head's product with a chunk of rows, what of the logits matters for gradients, and
// those.
#pragma once

#include "kernels/matmul-args.h"

#define GEMMA_CROSS_ENTROPY_KERNELS(X)            \
  X(cross_entropy_logits, CrossEntropyArgs)       \
  X(cross_entropy_slopes, CrossEntropyArgs)       \
  X(cross_entropy_gradients, CrossEntropyArgs)    \
  X(sum_segments, SumSegmentsArgs)

namespace gemma {

/** Parts of the vocabulary whose gradients are summed up apart: as many whatever the threads, so that sums stay the same. */
constexpr size_t HEAD_SEGMENTS = 16;

/** A chunk of R <= ROW_BLOCK rows, in one block of the product. */
struct CrossEntropyArgs {
  MatmulArgs product;  // its out is not used
  float soft_cap;      // 0: none
  // A logit that is less than the row's normaliser (log of the sum of exponentials) + `least` is left out of the gradients.
  float least;
  size_t rows;    // R
  size_t blocks;  // ceil(V / LOGIT_BLOCK)
  const int32_t* targets;  // [R]
  const float* weights;    // [R]
  float* maxima;           // [R, blocks]
  double* sums;            // [R, blocks]: sum of exp(logit - maximum)
  float* floors;           // [R]: what the normaliser is at least; raised by all threads
  float* target_logits;    // [R]
  const double* normalisers;  // [R]; NaN: the row has no target
  // Logits that may matter, and the target's: of each block and row up to LOGIT_BLOCK, in order of their ids. Then the gradients
  // in these logits.
  float* kept;       // [blocks, R, LOGIT_BLOCK]
  uint8_t* places;   // the same: id, less the block's first
  uint16_t* counts;  // [blocks, R]
  float* panels;     // [HEAD_SEGMENTS, 16, D rounded up to 16]: scratch
  float* dx;         // [HEAD_SEGMENTS, R, D]
  float* d_head;     // [V, D], added to; nullptr: not wanted

  size_t width() const { return product.weight.columns; }
  size_t padded_width() const { return (width() + PANEL_ROWS - 1) / PANEL_ROWS * PANEL_ROWS; }
};

/** out[i] = sum over the segments of parts[segment][i], in order. Item: an element. */
struct SumSegmentsArgs {
  float* out;
  const float* parts;  // [HEAD_SEGMENTS, elements]
  size_t elements;
};

}  // namespace gemma
