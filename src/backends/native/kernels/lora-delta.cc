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

}  // namespace

void lora_down(const LoraDownArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    const float* const x = args.x + t * args.width;
    for (size_t j = 0; j < args.rank; j++) args.rank_rows[t * args.rank + j] = dot(x, args.a + j * args.width, args.width);
  }
}

// B is transposed in pieces of 64 columns by 32 ranks, so that a vector holds one rank of adjacent columns.
void lora_up(const LoraUpArgs& args, size_t begin, size_t end) {
  constexpr size_t RANKS = 32, PARTS = LORA_COLUMNS / LANES;
  float piece[RANKS * LORA_COLUMNS];  // [RANKS][LORA_COLUMNS]
  for (size_t item = begin; item < end; item++) {
    const size_t first = item * LORA_COLUMNS;
    const size_t columns = std::min(LORA_COLUMNS, args.width - first);
    std::fill(piece, piece + RANKS * LORA_COLUMNS, 0.0f);
    for (size_t low = 0; low < args.rank; low += RANKS) {
      const size_t ranks = std::min(RANKS, args.rank - low);
      for (size_t n = 0; n < columns; n++)
        for (size_t j = 0; j < ranks; j++) piece[j * LORA_COLUMNS + n] = args.b[(first + n) * args.rank + low + j] * args.scale;

      for (size_t t = 0; t < args.rows; t++) {
        const float* const factors = args.rank_rows + t * args.rank + low;
        F32 sums[PARTS];
        for (F32& part : sums) part = splat(0);
        for (size_t j = 0; j < ranks; j++) {
          const F32 factor = splat(factors[j]);
          for (size_t i = 0; i < PARTS; i++) sums[i] = fma(factor, load(piece + j * LORA_COLUMNS + i * LANES), sums[i]);
        }
        float* const out = args.out + t * args.width + first;
        for (size_t i = 0; i < PARTS && i * LANES < columns; i++) {
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
