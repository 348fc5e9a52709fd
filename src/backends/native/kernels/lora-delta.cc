// out += scale · B (A x). Contract: src/backend/ops/lora-delta.ts
#include <algorithm>

#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {
namespace {

float dot(const float* a, const float* b, size_t width) {
  F32 even = splat(0), odd = splat(0);
  size_t i = 0;
  for (; i + 2 * LANES <= width; i += 2 * LANES) {
    even = fma(load(a + i), load(b + i), even);
    odd = fma(load(a + i + LANES), load(b + i + LANES), odd);
  }
  for (; i + LANES <= width; i += LANES) even = fma(load(a + i), load(b + i), even);
  if (i < width) odd = fma(load_partial(a + i, width - i), load_partial(b + i, width - i), odd);
  return static_cast<float>(sum(even + odd));
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

}  // namespace

void lora_down(const LoraDownArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    const float* const x = args.x + t * args.width;
    for (size_t j = 0; j < args.rank; j++) args.rank_rows[t * args.rank + j] = dot(x, args.a + j * args.width, args.width);
  }
}

void lora_up(const LoraUpArgs& args, size_t begin, size_t end) {
  constexpr size_t PARTS = LORA_COLUMNS / LANES;
  float piece[RANKS * LORA_COLUMNS];
  for (size_t item = begin; item < end; item++) {
    const size_t first = item * LORA_COLUMNS;
    const size_t columns = std::min(LORA_COLUMNS, args.width - first);
    for (size_t low = 0; low < args.rank; low += RANKS) {
      const size_t ranks = std::min(RANKS, args.rank - low);
      transpose(piece, args.b + first * args.rank + low, args.rank, columns, ranks);
      for (size_t t = 0; t < args.rows; t++) {
        const float* const factors = args.rank_rows + t * args.rank + low;
        F32 sums[PARTS];
        for (F32& part : sums) part = splat(0);
        for (size_t j = 0; j < ranks; j++) {
          const F32 factor = splat(factors[j] * args.scale);
          for (size_t i = 0; i < PARTS; i++) sums[i] = fma(factor, load(piece + j * LORA_COLUMNS + i * LANES), sums[i]);
        }
        float* const out = args.out + t * args.width + first;
        for (size_t i = 0; i * LANES < columns; i++) {
          const size_t rest = columns - i * LANES;
          if (rest >= LANES) {
            store(out + i * LANES, load(out + i * LANES) + sums[i]);
          } else {
            store_partial(out + i * LANES, load_partial(out + i * LANES, rest) + sums[i], rest);
          }
        }
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
