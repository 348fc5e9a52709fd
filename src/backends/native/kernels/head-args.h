// Arguments of the kernels that multiply a head and look at its logits while they are in the cache.
#pragma once

#include "kernels/matmul-args.h"

#define GEMMA_HEAD_KERNELS(X) \
  X(choose_ids, ChooseIdsArgs) \
  X(score_ids, ScoreIdsArgs)

namespace gemma {

/** Item: block i % blocks of LOGIT_BLOCK ids, for the rows of block i / blocks. */
struct ChooseIdsArgs {
  MatmulArgs product;  // its out is not used
  float soft_cap;      // 0: none
  size_t blocks;       // ceil(V / LOGIT_BLOCK)
  float* maxima;       // [R, blocks]: largest logit; minus infinity where there is none
  int32_t* best;       // [R, blocks]: its id, the lowest of equals
  float* const* kept;  // [R], each [V]: where the row's logits are kept; nullptr: its best ones do
};

/** Item: block i % blocks of LOGIT_BLOCK ids, for the rows of block i / blocks. */
struct ScoreIdsArgs {
  MatmulArgs product;  // its out is not used
  float soft_cap;      // 0: none
  size_t blocks;       // ceil(V / LOGIT_BLOCK)
  float* maxima;       // [R, blocks]: largest logit; minus infinity where there is none
  int32_t* best;       // [R, blocks]: its id, the lowest of equals
  double* sums;        // [R, blocks]: sum of exp(logit - maximum)
  // Logits that are wanted: of row target_rows[t], id target_ids[t]. Those that do not exist are not written.
  size_t targets;
  const int32_t* target_rows;  // [targets]
  const int32_t* target_ids;   // [targets]
  float* target_logits;        // [targets]
};

}  // namespace gemma
