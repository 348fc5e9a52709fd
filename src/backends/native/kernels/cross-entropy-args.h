// Arguments of the kernels of crossEntropy: the head's product with a chunk of rows, what of the logits matters for gradients, and
// those.
#pragma once

#include "kernels/matmul-args.h"
#include "kernels/op-args.h"

#define GEMMA_CROSS_ENTROPY_KERNELS(X)            \
  X(cross_entropy_logits, CrossEntropyArgs)       \
  X(cross_entropy_slopes, CrossEntropyArgs)       \
  X(cross_entropy_gradients, CrossEntropyArgs)    \
  X(sum_segments, SumSegmentsArgs)

namespace gemma {

/** Parts of the vocabulary whose gradients are summed up apart: as many whatever the threads, so that sums stay the same. */
constexpr size_t HEAD_SEGMENTS = 16;

constexpr size_t HEAD_COLUMNS = 640;  // of a block of the head that are unpacked at once: it stays in the second cache

/** The gradients in those logits of a row and a block that have any. */
struct LogitSlopes {
  const float* values;
  const uint8_t* places;  // id, less the block's first; ascending
  size_t count;
};

/** A chunk of R rows. */
struct CrossEntropyArgs {
  MatmulArgs product;  // its out is not used
  float soft_cap;      // 0: none
  bool is_rounded;     // the head to bf16, and unlikely ids are left out of gradients
  // A logit that is less than the row's normaliser (log of the sum of exponentials) + `least` is left out.
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
  // Logits that may matter, and the target's, row after row; then the gradients in them.
  float* kept;       // [blocks, slots]
  uint8_t* places;   // [blocks, slots]: id, less the block's first
  uint32_t* starts;  // [blocks, R + 1]: where a row's begin
  float* unpacked;   // [HEAD_SEGMENTS, LOGIT_BLOCK, HEAD_COLUMNS]: scratch
  float* dx;         // [HEAD_SEGMENTS, R, D]
  float* d_head;     // [V, D], added to; nullptr: not wanted

  size_t width() const { return product.weight.columns; }
  size_t slots() const { return rows * LOGIT_BLOCK; }
  LogitSlopes slopes(size_t block, size_t row) const {
    const uint32_t* const start = starts + block * (rows + 1) + row;
    const size_t first = block * slots() + start[0];
    return {kept + first, places + first, start[1] - start[0]};
  }
};

/** out[i] = sum over the segments of parts[segment][i], in order. Item: an element. */
struct SumSegmentsArgs {
  float* out;
  const float* parts;  // [HEAD_SEGMENTS, elements]
  size_t elements;
};

}  // namespace gemma
