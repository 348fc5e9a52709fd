// Arguments of the kernels other than matmul: plain pointers and sizes, validated before.
#pragma once

#include <cstddef>
#include <cstdint>

#define GEMMA_OP_KERNELS(X)

namespace gemma {}  // namespace gemma
