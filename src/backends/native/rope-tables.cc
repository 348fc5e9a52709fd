#include "rope-tables.h"

#include <algorithm>
#include <cmath>

namespace gemma {

RopeTable& RopeTables::table_for(double theta, double scaling_factor, size_t head_dim) {
  for (RopeTable& table : tables_) {
    if (table.theta == theta && table.scaling_factor == scaling_factor && table.head_dim == head_dim) return table;
  }
  RopeTable& table = tables_[oldest_];
  oldest_ = (oldest_ + 1) % std::size(tables_);
  table.head_dim = 0;  // of no use should memory run out below
  table.positions.clear();
  table.frequencies.resize(head_dim / 2);
  for (size_t i = 0; i < head_dim / 2; i++) {
    table.frequencies[i] = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
  }
  table.theta = theta;
  table.scaling_factor = scaling_factor;
  table.head_dim = head_dim;
  return table;
}

const RopeTable& RopeTables::get(Pool& pool, double theta, double scaling_factor, size_t head_dim, const int32_t* positions,
                                 size_t rows) {
  RopeTable& table = table_for(theta, scaling_factor, head_dim);
  if (table.positions.size() == rows && std::equal(positions, positions + rows, table.positions.begin())) return table;
  table.positions.clear();
  const size_t half = head_dim / 2;
  table.cosines.resize(rows * half);
  table.sines.resize(rows * half);
  pool.parallel_for(rows, 8, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; t++) {
      const double position = positions[t] / scaling_factor;
      for (size_t i = 0; i < half; i++) {
        const double angle = position * table.frequencies[i];
        table.cosines[t * half + i] = static_cast<float>(std::cos(angle));
        table.sines[t * half + i] = static_cast<float>(std::sin(angle));
      }
    }
  });
  table.positions.assign(positions, positions + rows);
  return table;
}

}  // namespace gemma
