// out += scale · B (A x). Contract: src/backend/ops/lora-delta.ts
#include <algorithm>

#include "kernels.h"
#include "kernels/simd.h"
#include "kernels/tiles.h"
#include "kernels/transpose.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t SUMS = 16;  // dots that are summed up at once

/** Dots of ROWS rows of x with RANKS rows of a, left as vectors: out[row][first + rank]. */
template <size_t ROWS, size_t RANKS>
void dots(const float* x, const float* a, size_t width, float (*out)[SUMS][LANES], size_t first) {
  F32 even[ROWS][RANKS], odd[ROWS][RANKS];
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t j = 0; j < RANKS; j++) even[r][j] = odd[r][j] = splat(0);
  }
  const auto add = [&](F32 (&sums)[ROWS][RANKS], const auto& load_at) {
    F32 factors[RANKS];
    GEMMA_UNROLL for (size_t j = 0; j < RANKS; j++) factors[j] = load_at(a + j * width);
    GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const F32 values = load_at(x + r * width);
      GEMMA_UNROLL for (size_t j = 0; j < RANKS; j++) sums[r][j] = fma(values, factors[j], sums[r][j]);
    }
  };
  size_t i = 0;
  for (; i + 2 * LANES <= width; i += 2 * LANES) {
    add(even, [i](const float* from) { return load(from + i); });
    add(odd, [i](const float* from) { return load(from + i + LANES); });
  }
  for (; i + LANES <= width; i += LANES) add(even, [i](const float* from) { return load(from + i); });
  if (i < width) add(odd, [i, width](const float* from) { return load_partial(from + i, width - i); });
  GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
    GEMMA_UNROLL for (size_t j = 0; j < RANKS; j++) store(out[r][first + j], even[r][j] + odd[r][j]);
  }
}

/** The sum of each vector's lanes, as `sum` has it. */
void sum_lanes(const float (&vectors)[SUMS][LANES], size_t count, float* out) {
#if defined(__AVX512F__)
  alignas(64) float lanes[LANES][SUMS];
  transpose_16(vectors[0], LANES, lanes[0], SUMS);
  double totals[SUMS] = {};
  for (size_t lane = 0; lane < LANES; lane++) {
    for (size_t i = 0; i < SUMS; i++) totals[i] += lanes[lane][i];
  }
  for (size_t i = 0; i < count; i++) out[i] = static_cast<float>(totals[i]);
#else
  for (size_t i = 0; i < count; i++) out[i] = static_cast<float>(sum(load(vectors[i])));
#endif
}

// B is transposed in pieces of 32 ranks by 64 columns, so that a vector holds one rank of adjacent columns.
constexpr size_t RANKS = 32;

/** piece[j][n] = b[n][j] for n < columns, j < ranks; b has rows of `stride` elements. */
void transpose(float* piece, const float* b, size_t stride, size_t columns, size_t ranks) {
  typedef float F4 __attribute__((vector_size(16)));
  if (columns < LORA_COLUMNS) std::fill(piece, piece + ranks * LORA_COLUMNS, 0.0f);
  size_t j = 0;
  for (; j + 4 <= ranks; j += 4) {
    size_t n = 0;
    for (; n + 4 <= columns; n += 4) {
      const float* const from = b + n * stride + j;
      float* const to = piece + j * LORA_COLUMNS + n;
      const F4 r0 = load_as<F4>(from), r1 = load_as<F4>(from + stride);
      const F4 r2 = load_as<F4>(from + 2 * stride), r3 = load_as<F4>(from + 3 * stride);
      const F4 a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), b = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
      const F4 c = __builtin_shufflevector(r0, r1, 2, 6, 3, 7), d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
      store_as(to, __builtin_shufflevector(a, b, 0, 1, 4, 5));
      store_as(to + LORA_COLUMNS, __builtin_shufflevector(a, b, 2, 3, 6, 7));
      store_as(to + 2 * LORA_COLUMNS, __builtin_shufflevector(c, d, 0, 1, 4, 5));
      store_as(to + 3 * LORA_COLUMNS, __builtin_shufflevector(c, d, 2, 3, 6, 7));
    }
    for (; n < columns; n++)
      for (size_t i = 0; i < 4; i++) piece[(j + i) * LORA_COLUMNS + n] = b[n * stride + j + i];
  }
  for (; j < ranks; j++)
    for (size_t n = 0; n < columns; n++) piece[j * LORA_COLUMNS + n] = b[n * stride + j];
}

/** ROWS rows, LORA_COLUMNS columns: out += scale · rank_rows · piece, the ranks [low, low + ranks). */
template <size_t ROWS>
void add_ranks(const LoraUpArgs& args, size_t t, size_t first, size_t low, size_t ranks, const float* piece) {
  constexpr size_t PARTS = LORA_COLUMNS / LANES;
  const float* const factors = args.rank_rows + t * args.rank + low;
  F32 sums[ROWS][PARTS];
  for (auto& row : sums)
    for (F32& part : row) part = splat(0);
  for (size_t j = 0; j < ranks; j++) {
    F32 values[PARTS];
    GEMMA_UNROLL for (size_t i = 0; i < PARTS; i++) values[i] = load(piece + j * LORA_COLUMNS + i * LANES);
    GEMMA_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const F32 factor = splat(factors[r * args.rank + j] * args.scale);
      GEMMA_UNROLL for (size_t i = 0; i < PARTS; i++) sums[r][i] = fma(factor, values[i], sums[r][i]);
    }
  }
  const size_t columns = std::min(LORA_COLUMNS, args.width - first);
  for (size_t r = 0; r < ROWS; r++) {
    float* const out = args.out + (t + r) * args.width + first;
    for (size_t i = 0; i * LANES < columns; i++) {
      const size_t rest = columns - i * LANES;
      if (rest >= LANES) {
        store(out + i * LANES, load(out + i * LANES) + sums[r][i]);
      } else {
        store_partial(out + i * LANES, load_partial(out + i * LANES, rest) + sums[r][i], rest);
      }
    }
  }
}

}  // namespace

void lora_down(const LoraDownArgs& args, size_t begin, size_t end) {
  constexpr size_t ROWS = LANES == 16 ? 4 : 2, RANKS = 2;  // 16 or 8 accumulators
  alignas(64) float vectors[ROWS][SUMS][LANES] = {};
  for_even_tiles<ROWS>(begin, end, [&](auto rows, size_t t) {
    const float* const x = args.x + t * args.width;
    for (size_t first = 0; first < args.rank; first += SUMS) {
      const size_t count = std::min(SUMS, args.rank - first);
      for (size_t j = 0; j < count; j += RANKS) {
        const float* const a = args.a + (first + j) * args.width;
        with_constant<RANKS>(std::min(RANKS, count - j), [&](auto ranks) {
          dots<rows(), ranks()>(x, a, args.width, vectors, j);
        });
      }
      for (size_t r = 0; r < rows(); r++) sum_lanes(vectors[r], count, args.rank_rows + (t + r) * args.rank + first);
    }
  });
}

void lora_up(const LoraUpArgs& args, size_t begin, size_t end) {
  constexpr size_t MOST_ROWS = LANES == 16 ? 4 : 1;
  float piece[RANKS * LORA_COLUMNS];
  for (size_t item = begin; item < end; item++) {
    const size_t first = item % args.column_blocks() * LORA_COLUMNS;
    const size_t row = item / args.column_blocks() * args.row_block, row_end = std::min(args.rows, row + args.row_block);
    for (size_t low = 0; low < args.rank; low += RANKS) {
      const size_t ranks = std::min(RANKS, args.rank - low);
      transpose(piece, args.b + first * args.rank + low, args.rank, std::min(LORA_COLUMNS, args.width - first), ranks);
      for_even_tiles<MOST_ROWS>(row, row_end, [&](auto rows, size_t t) { add_ranks<rows()>(args, t, first, low, ranks, piece); });
    }
  }
}

}  // namespace gemma::GEMMA_ISA
