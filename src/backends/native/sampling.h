// Choosing ids from a row of logits, of which the largest of each block of LOGIT_BLOCK is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gemma {

/** One row. A NaN counts as minus infinity. */
struct Logits {
  const float* values;  // [V]
  size_t width;         // V
  const uint32_t* mask; // [ceil(V / 32)], bit set: allowed; nullptr: all are
  const float* maxima;  // [blocks]: see LogitBlocksArgs
  size_t blocks;
};

struct Candidate {
  float logit;
  int32_t id;
};

/** See SampleRow in src/backend/ops/sample.ts. */
struct SampleSettings {
  double temperature;
  size_t top_k;
  double top_p;
  double min_p;
  uint64_t seed;
  uint64_t index;
};

/** Id of the largest allowed logit, the lowest of equals; -1: none is above minus infinity. */
int32_t arg_max(const Logits& row);

/**
 * An id drawn as the contract of sample says; -1: none is possible. `total` is the sum of exp((l - max) / temperature)
 * over the row, which is needed if topK is 0. @throws std::bad_alloc
 */
int32_t draw(const Logits& row, const SampleSettings& settings, double total);

/** The same from a row's topK most likely candidates (one at temperature 0), in their order. */
int32_t draw(const std::vector<Candidate>& best, const SampleSettings& settings);

/** Cuts candidates down to the n most likely, in their order. */
void keep_best(std::vector<Candidate>& candidates, size_t n);

/** The n most likely allowed ids above minus infinity, or all if fewer: greatest first, the lower id of equals first. */
std::vector<Candidate> most_likely(const Logits& row, size_t n);

}  // namespace gemma
