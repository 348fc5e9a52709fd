// The most likely ids without all logits: a split head is read in part (kernels/screen-args.h).
#pragma once

#include <vector>

#include "backend.h"
#include "sampling.h"

namespace gemma {

/** Whether it is likely to pay for these rows, that want `most` candidates at most. */
bool is_worth_screening(const WeightView& head, size_t rows, size_t most);

/**
 * For each row of x [R, K] its counts[r] most likely candidates, as most_likely gives them; a soft cap of 0: none.
 * Where no logit stood out, the weight is told to go without for a while.
 */
std::vector<std::vector<Candidate>> screened_candidates(Backend& backend, Weight& weight, const float* x,
                                                        const std::vector<size_t>& counts, float soft_cap);

}  // namespace gemma
