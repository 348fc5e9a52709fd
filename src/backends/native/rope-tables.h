// Cosines and sines of rotary position embeddings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool.h"

namespace gemma {

struct RopeTable {
  double theta = 0;
  double scaling_factor = 0;
  size_t head_dim = 0;              // H
  std::vector<double> frequencies;  // [H / 2]
  std::vector<int32_t> positions;   // [T]; empty: not filled
  std::vector<float> cosines;       // [T, H / 2]
  std::vector<float> sines;         // [T, H / 2]
};

/**
 * The tables of the last step, one per (theta, scaling factor, H): the layers of a step share their positions, and a
 * Gemma 3 has two thetas.
 */
class RopeTables {
 public:
  /** angle[t, i] = positions[t] / scaling_factor · theta^(-2i/H), in f64. Valid until the next call. @throws std::bad_alloc */
  const RopeTable& get(Pool& pool, double theta, double scaling_factor, size_t head_dim, const int32_t* positions, size_t rows);

 private:
  RopeTable& table_for(double theta, double scaling_factor, size_t head_dim);

  RopeTable tables_[4];
  size_t oldest_ = 0;
};

}  // namespace gemma
