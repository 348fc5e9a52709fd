// Products of f32 matrices that gradients are made of. Contracts: src/backend/ops/lora-delta-backward.ts,
// src/backend/ops/matmul-weight-backward.ts
#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t PARTS = LANES == 16 ? 4 : 2;  // vectors of a tile
constexpr size_t TILE = 4;                     // rows of a tile

F32 load_some(const float* from, size_t left) {
  if (left >= LANES) return load(from);
  return left == 0 ? splat(0) : load_partial(from, left);
}

size_t from(size_t all, size_t at) { return all > at ? all - at : 0; }

template <size_t ROWS>
void sum_tile(const SumOuterArgs& args, size_t row, size_t column) {
  F32 sums[ROWS][PARTS];
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[r][p] = splat(0);
  }
  const size_t left = from(args.columns, column);
  for (size_t t = 0; t < args.terms; t++) {
    const float* const right = args.right + t * args.columns + column;
    F32 values[PARTS];
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) values[p] = load_some(right + p * LANES, from(left, p * LANES));
    GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const F32 each = splat(args.left[t * args.rows + row + r]);
      GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[r][p] = fma(each, values[p], sums[r][p]);
    }
  }
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t p = 0; p < PARTS; p++) {
      float values[LANES];
      store(values, sums[r][p]);
      const size_t count = from(left, p * LANES) < LANES ? from(left, p * LANES) : LANES;
      for (size_t i = 0; i < count; i++) {
        const size_t at = (row + r) * args.row_step + (column + p * LANES + i) * args.column_step;
        args.out[at] += args.scale * values[i];
      }
    }
  }
}

}  // namespace

void sum_outer(const SumOuterArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    const size_t first = item / args.column_blocks() * OUTER_ROWS, column = item % args.column_blocks() * SUM_COLUMNS;
    const size_t last = OUTER_ROWS < args.rows - first ? first + OUTER_ROWS : args.rows;
    const size_t column_end = SUM_COLUMNS < args.columns - column ? column + SUM_COLUMNS : args.columns;
    for (size_t c = column; c < column_end; c += PARTS * LANES) {
      size_t row = first;
      for (; row + TILE <= last; row += TILE) sum_tile<TILE>(args, row, c);
      for (; row < last; row++) sum_tile<1>(args, row, c);
    }
  }
}

void rows_times(const RowsTimesArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    const float* const left = args.left + t * args.terms;
    float* const out = args.out + t * args.columns;
    for (size_t c = 0; c < args.columns; c += PARTS * LANES) {
      const size_t rest = args.columns - c;
      F32 sums[PARTS];
      GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[p] = splat(0);
      for (size_t i = 0; i < args.terms; i++) {
        const F32 each = splat(left[i]);
        const float* const right = args.right + i * args.columns + c;
        GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) {
          sums[p] = fma(each, load_some(right + p * LANES, from(rest, p * LANES)), sums[p]);
        }
      }
      for (size_t p = 0; p * LANES < rest && p < PARTS; p++) {
        const size_t count = rest - p * LANES;
        const F32 before = args.accumulate ? load_some(out + c + p * LANES, count) : splat(0);
        const F32 value = fma(splat(args.scale), sums[p], before);
        if (count >= LANES) {
          store(out + c + p * LANES, value);
        } else {
          store_partial(out + c + p * LANES, value, count);
        }
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
