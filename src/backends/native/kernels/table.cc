// Collects this instruction set's kernels. Compiled once per instruction set.
#include "kernels.h"

#define GEMMA_STRING(name) #name
#define GEMMA_NAME(name) GEMMA_STRING(name)

namespace gemma::GEMMA_ISA {

#if defined(__AVX512BF16__)
constexpr bool HAS_BF16_DOTS = true;
#else
constexpr bool HAS_BF16_DOTS = false;
#endif

#define GEMMA_DECLARE(op, Args) void op(const Args& args, size_t begin, size_t end);
GEMMA_KERNELS(GEMMA_DECLARE)
#undef GEMMA_DECLARE

const Kernels& kernels() {
#define GEMMA_ENTRY(op, Args) op,
  static constexpr Kernels table = {GEMMA_NAME(GEMMA_ISA), HAS_BF16_DOTS, GEMMA_KERNELS(GEMMA_ENTRY)};
#undef GEMMA_ENTRY
  return table;
}

}  // namespace gemma::GEMMA_ISA
