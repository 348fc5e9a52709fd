// Losses of rows, and which logits their gradients need. Contract: src/backend/ops/cross-entropy.ts
//
// The normaliser is known only when all blocks have been seen. Until then a row keeps what may matter: logits that are not far
// below the largest normaliser of a block so far. What is kept too much is left out later, so it does not matter in which
// order threads come to blocks.
#include <cmath>
#include <cstring>

#include "kernels/head-block.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t NOWHERE = SIZE_MAX;

/** Copies the logits above `least`, and the target's; returns how many. They end within a block's memory. */
size_t keep(const float* logits, size_t ids, float least, size_t target, float* kept, uint8_t* places) {
  size_t count = 0;
#if defined(__AVX512F__)
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (size_t i = 0; i < ids; i += LANES) {
    const __mmask16 there = static_cast<__mmask16>(ids - i >= LANES ? 0xffff : (1u << (ids - i)) - 1);
    const __m512 x = _mm512_maskz_loadu_ps(there, logits + i);
    uint32_t mask = _mm512_mask_cmp_ps_mask(there, x, _mm512_set1_ps(least), _CMP_GT_OQ);
    if (target - i < LANES) mask |= 1u << (target - i);
    if (mask == 0) continue;
    const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(i)));
    _mm512_storeu_ps(kept + count, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), x));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(places + count),
                     _mm512_cvtepi32_epi8(_mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), at)));
    count += static_cast<size_t>(__builtin_popcount(mask));
  }
#else
  for (size_t i = 0; i < ids; i++) {
    if (!(logits[i] > least) && i != target) continue;
    kept[count] = logits[i];
    places[count++] = static_cast<uint8_t>(i);
  }
#endif
  return count;
}

/** Raises a floor to what a block sums up to, less what rounding may add to it and to the normaliser; returns it. */
float raise(float* floor, float top, double sum) {
  float value;
  __atomic_load(floor, &value, __ATOMIC_RELAXED);
  const float summed = top + static_cast<float>(std::log(sum));
  float raised = summed - 1e-3f - 1e-6f * std::abs(summed);
  if (!(raised > value)) return value;
  __atomic_store(floor, &raised, __ATOMIC_RELAXED);
  return raised;
}

}  // namespace

/** Item: a block of ids. */
void cross_entropy_logits(const CrossEntropyArgs& args, size_t begin, size_t end) {
  float logits[ROW_BLOCK * LOGIT_BLOCK];
  for (size_t block = begin; block < end; block++) {
    uint32_t* const starts = args.starts + block * (args.rows + 1);
    float* const kept = args.kept + block * args.slots();
    uint8_t* const places = args.places + block * args.slots();
    starts[0] = 0;
    for (size_t row = 0; row < args.rows;) {
      const HeadBlock all(args.product, args.soft_cap, args.blocks, row / args.product.row_block * args.blocks + block, logits);
      for (; row < all.row_end; row++) {
        const float* const own = logits + (row - all.row_begin) * LOGIT_BLOCK;
        F32 tops = splat(-INFINITE);
        for_logits(own, 0, all.ids, nullptr, [&](F32 x) { tops = max(x, tops); });
        const float top = largest(tops);
        const double sum = exp_sum(own, 0, all.ids, nullptr, top, 1);
        args.maxima[row * args.blocks + block] = top;
        args.sums[row * args.blocks + block] = sum;

        const size_t target = static_cast<uint32_t>(args.targets[row]);
        const bool has_target = target >= all.first_id && target < all.first_id + all.ids;
        if (has_target) args.target_logits[row] = own[target - all.first_id];
        const float least = raise(args.floors + row, top, sum) + args.least;
        const size_t place = has_target ? target - all.first_id : NOWHERE;
        starts[row + 1] = starts[row];
        if (top > least || has_target) {
          starts[row + 1] += static_cast<uint32_t>(keep(own, all.ids, least, place, kept + starts[row], places + starts[row]));
        }
      }
    }
  }
}

/** Logits to their gradients, in place. Item: a block of ids. */
void cross_entropy_slopes(const CrossEntropyArgs& args, size_t begin, size_t end) {
  for (size_t block = begin; block < end; block++) {
    for (size_t row = 0; row < args.rows; row++) {
      const LogitSlopes slopes = args.slopes(block, row);
      if (slopes.count == 0) continue;
      float* const own = args.kept + (slopes.values - args.kept);
      if (std::isnan(args.normalisers[row])) {
        std::memset(own, 0, slopes.count * sizeof(float));
        continue;
      }
      const F32 normaliser = splat(static_cast<float>(args.normalisers[row])), least = splat(args.least);
      const F32 weight = splat(args.weights[row]), none = splat(0);
      const float cap = args.soft_cap;
      map2(own, own, own, 0, slopes.count, [&](F32 x, F32) {
        const F32 below = x - normaliser;
        const F32 slope = below < least ? none : weight * exp(below);
        if (cap == 0) return slope;
        const F32 share = x / splat(cap);
        return slope * (splat(1) - share * share);
      });
      const size_t target = static_cast<uint32_t>(args.targets[row]) - block * LOGIT_BLOCK;
      if (target >= LOGIT_BLOCK) continue;
      size_t i = 0;
      while (i < slopes.count && slopes.places[i] != target) i++;
      if (i == slopes.count) continue;
      const float share = cap == 0 ? 0 : args.target_logits[row] / cap;
      own[i] -= args.weights[row] * (1 - share * share);
    }
  }
}

void sum_segments(const SumSegmentsArgs& args, size_t begin, size_t end) {
  std::memcpy(args.out + begin, args.parts + begin, (end - begin) * sizeof(float));
  for (size_t segment = 1; segment < HEAD_SEGMENTS; segment++) {
    map2(args.out, args.out, args.parts + segment * args.elements, begin, end, [](F32 a, F32 b) { return a + b; });
  }
}

}  // namespace gemma::GEMMA_ISA
