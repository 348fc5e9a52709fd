// What the operations on logits share.
#pragma once

#include <functional>

#include "addon.h"
#include "sampling.h"

namespace gemma {

constexpr size_t NUMBERS_A_ROW = 12;

/** A row's settings out of its 12 numbers, as pack-sample.ts lays them out. @throws ERR_RANGE */
SampleSettings read_settings(const double* numbers);

/** A whole number in 0..max. @throws ERR_RANGE */
uint64_t whole(double value, double max);

/** Calls fn(i) for i in [0, items) on the pool. @throws std::bad_alloc if one of them does */
void for_each_row(Backend& backend, size_t items, const std::function<void(size_t)>& fn);

/** Largest logit of each block of each of `rows`, and of each row (rows[r].max). Returns [rows, blocks]. */
const float* find_maxima(Backend& backend, const float* logits, size_t width, std::vector<LogitRow>& rows);

/**
 * Sums of exponentials of the blocks of each of `rows`, relative to the row's largest logit or, where `maxima` [rows, blocks]
 * are given, to the block's. Returns [rows, blocks].
 */
const double* sum_exponentials(Backend& backend, const float* logits, size_t width, const std::vector<LogitRow>& rows,
                               const float* maxima);

/** log of the sum of exp(logit) over a row, from the maxima of its blocks and the sums of exp(logit - maximum) in each. */
double log_sum_exp(const float* maxima, const double* sums, size_t blocks);

inline size_t block_count(size_t width) { return (width + LOGIT_BLOCK - 1) / LOGIT_BLOCK; }

}  // namespace gemma
