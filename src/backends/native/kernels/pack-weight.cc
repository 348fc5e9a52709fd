// Values of training into the panels of a dense weight (form.h). Contract: src/backend/ops/pack-weight.ts
#include <cstring>

#include "kernels.h"
#include "kernels/half.h"

namespace gemma::GEMMA_ISA {
namespace {

template <class Element>
void put(uint8_t* panel, size_t index, Element value) {
  std::memcpy(panel + index * sizeof value, &value, sizeof value);
}

}  // namespace

/** Item: a panel. */
void pack_weight(const PackWeightArgs& args, size_t begin, size_t end) {
  for (size_t index = begin; index < end; index++) {
    uint8_t* const panel = args.panels + index * args.panel_bytes;
    const size_t first = index * PANEL_ROWS;
    const size_t rows = PANEL_ROWS < args.rows - first ? PANEL_ROWS : args.rows - first;
    for (size_t row = 0; row < rows; row++) {
      const float* const values = args.values + (first + row) * args.columns;
      for (size_t k = 0; k < args.columns; k++) {
        const size_t at = k * PANEL_ROWS + row;
        if (args.form == Form::f32) put(panel, at, values[k]);
        if (args.form == Form::f16) put(panel, at, f32_to_f16(values[k]));
        if (args.form == Form::bf16) put(panel, bf16_at(k, row), f32_to_bf16(values[k]));
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
