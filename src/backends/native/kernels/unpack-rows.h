// Rows of packed weights as they were stored, for kernels that know nothing of panels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul-args.h"

namespace gemma::GEMMA_ISA {

/** Columns [k_begin, k_end) of a panel as 16 rows, `stride` apart. k_begin is a multiple of 64; zeros fill up to a multiple of 16. */
void unpack_panel(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, float* out, size_t stride);
/** The same, rounded to bf16. */
void unpack_panel(const WeightView& weight, size_t index, size_t k_begin, size_t k_end, uint16_t* out, size_t stride);

}  // namespace gemma::GEMMA_ISA
