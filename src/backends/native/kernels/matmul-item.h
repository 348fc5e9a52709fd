// One item of a product, for kernels that go on with what it computed.
#pragma once

#include "kernels.h"

namespace gemma::GEMMA_ISA {

/** Writes the item's outputs to `out`, its rows `stride` apart. */
void multiply_item(const MatmulArgs& args, const MatmulItem& item, float* out, size_t stride);

}  // namespace gemma::GEMMA_ISA
