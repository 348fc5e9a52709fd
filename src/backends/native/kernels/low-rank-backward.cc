// Gradients of low-rank pairs and of whole matrices. Contracts: src/backend/ops/lora-delta-backward.ts,
// src/backend/ops/matmul-weight-backward.ts
#include <algorithm>

#include "kernels.h"
#include "kernels/product.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t ROWS = 64;  // of x and dOut, which stay in the cache for both of their products

void add_rows(const LoraBackwardArgs& args, size_t row, size_t count, float* da, float* db) {
  const size_t width = args.width, outputs = args.outputs, rank = args.rank;
  const float* const x = args.x + row * width;
  const float* const d_out = args.d_out + row * outputs;
  float* const inner = args.inner + row * rank;
  float* const outer = args.outer + row * rank;
  std::fill_n(inner, count * rank, 0.0f);
  std::fill_n(outer, count * rank, 0.0f);
  add_product(inner, rank, {x, width, 1}, args.a_turned, rank, {count, rank, width});
  add_product(db, outputs, {inner, 1, rank}, d_out, outputs, {rank, outputs, count});
  add_product(outer, rank, {d_out, outputs, 1}, args.b, rank, {count, rank, outputs});
  const F32 scale = splat(args.scale);
  map2(outer, outer, outer, 0, count * rank, [scale](F32 value, F32) { return value * scale; });
  add_product(da, width, {outer, 1, rank}, x, width, {rank, width, count});
  if (args.dx == nullptr) return;
  float* const dx = args.dx + row * width;
  if (!args.accumulate) std::fill_n(dx, count * width, 0.0f);
  add_product(dx, width, {outer, rank, 1}, args.a, width, {count, width, rank});
}

}  // namespace

void lora_backward(const LoraBackwardArgs& args, size_t begin, size_t end) {
  for (size_t part = begin; part < end; part++) {
    float* const da = args.da_parts + part * args.rank * args.width;
    float* const db = args.db_parts + part * args.rank * args.outputs;
    std::fill_n(da, args.rank * args.width, 0.0f);
    std::fill_n(db, args.rank * args.outputs, 0.0f);
    const size_t last = std::min(args.rows, (part + 1) * args.part_rows);
    for (size_t row = part * args.part_rows; row < last; row += ROWS) add_rows(args, row, std::min(ROWS, last - row), da, db);
  }
}

void lora_sum_parts(const LoraBackwardArgs& args, size_t begin, size_t end) {
  const size_t parts = args.parts();
  for (size_t j = begin; j < end; j++) {
    for (size_t part = 0; part < parts; part++) {
      float* const da = args.da + j * args.width;
      map2(da, da, args.da_parts + (part * args.rank + j) * args.width, 0, args.width, [](F32 a, F32 b) { return a + b; });
    }
    for (size_t n = 0; n < args.outputs; n++) {
      float sum = 0;
      for (size_t part = 0; part < parts; part++) sum += args.db_parts[(part * args.rank + j) * args.outputs + n];
      args.db[n * args.rank + j] += args.scale * sum;
    }
  }
}

void sum_outer(const SumOuterArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const size_t row = item / args.column_blocks() * OUTER_ROWS, column = item % args.column_blocks() * SUM_COLUMNS;
    const ProductSize size = {std::min(OUTER_ROWS, args.rows - row), std::min(SUM_COLUMNS, args.columns - column), args.terms};
    float* const out = args.out + row * args.columns + column;
    add_product(out, args.columns, {args.left + row, 1, args.rows}, args.right + column, args.columns, size);
  }
}

}  // namespace gemma::GEMMA_ISA
