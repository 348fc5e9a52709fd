// Arguments of the kernels around packed weights. Shapes: T rows, N = outputs, K = inputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "form.h"
#include "stored.h"

#define GEMMA_MATMUL_KERNELS(X)

namespace gemma {

/** What kernels see of a packed weight [N, K]. */
struct WeightView {
  const uint8_t* panels;
  size_t rows;         // N
  size_t columns;      // K
  size_t panel_bytes;  // distance of two panels
  Form form;
};

/** Item: a panel of 16 rows of the slice. */
struct PackArgs {
  const uint8_t* source;  // `rows` rows as stored
  size_t rows;
  size_t columns;     // K
  size_t row_bytes;   // distance of two rows
  StoredDtype dtype;
  uint8_t* panels;     // of the slice
  size_t panel_bytes;  // distance of two panels
};

/** Activations in the integer form: x[t, k] ≈ quants[t, k] · scales[t, k / 32]. */
struct QuantisedX {
  int8_t* quants;   // [T, K]
  float* scales;    // [T, K / 32]
  int32_t* starts;  // [T, K / G] -offset · sum of the weight group's quants: where its integer sum starts
  float* sums;      // [T, K / G] scale · sum of the weight group's quants: what a minimum is multiplied with
};

/** Item: a row. `form` tells the group and the offset. */
struct QuantiseArgs {
  const float* x;  // [T, K]
  size_t columns;
  Form form;
  QuantisedX out;
};

/** Item: a panel of 16 outputs, for all rows. */
struct MatmulArgs {
  float* out;  // [T, N]
  WeightView weight;
  size_t rows;     // T
  const float* x;  // [T, K], where activations stay f32
  QuantisedX q;    // where they do not
  bool is_int8;
};

}  // namespace gemma
