// The table of kernels: one instance per instruction set, chosen at run time (isa.h).
//
// A kernel is `void op(const OpArgs& args, size_t begin, size_t end)`: it does work items [begin, end) of the op,
// on plain pointers that have been validated. It takes no lock, allocates nothing, throws nothing and knows no threads;
// what an item's result is must not depend on the range that it came in (row invariance).
//
// To add one: declare its argument struct in kernels/op-args.h (what an item is, shapes), append a line to
// GEMMA_OP_KERNELS there, define it in kernels/<op>.cc inside `namespace gemma::GEMMA_ISA` (that file is compiled once
// per instruction set, so `#if defined(__AVX512F__)` and the like choose intrinsics), and call it from the glue in
// addon-*.cc.
#pragma once

#include <cstddef>

#include "kernels/backward-args.h"
#include "kernels/cross-entropy-args.h"
#include "kernels/head-args.h"
#include "kernels/matmul-args.h"
#include "kernels/op-args.h"
#include "kernels/screen-args.h"

#define GEMMA_KERNELS(X)    \
  GEMMA_MATMUL_KERNELS(X)   \
  GEMMA_SCREEN_KERNELS(X)   \
  GEMMA_HEAD_KERNELS(X)     \
  GEMMA_OP_KERNELS(X)       \
  GEMMA_BACKWARD_KERNELS(X) \
  GEMMA_CROSS_ENTROPY_KERNELS(X)

namespace gemma {

struct Kernels {
  const char* isa;
  bool has_bf16_dots;  // multiplies pairs of bf16: caches may be KvForm::bf16_pairs
#define GEMMA_FIELD(op, Args) void (*op)(const Args& args, size_t begin, size_t end);
  GEMMA_KERNELS(GEMMA_FIELD)
#undef GEMMA_FIELD
};

}  // namespace gemma
