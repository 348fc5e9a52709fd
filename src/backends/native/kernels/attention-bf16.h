// Attention on bf16 dot units, for caches of bf16 pairs: four pages at a time. Queries and weights are rounded to bf16,
// as keys and values are; products are added up in f32, two neighbours at a time.
#pragma once

#if defined(__AVX512BF16__)

#include "kernels/attention.h"

namespace gemma::GEMMA_ISA {

using Pairs = __m512bh;  // 16 pairs of bf16

inline Pairs load_pairs(const uint8_t* from) { return (Pairs)_mm512_loadu_si512(from); }
inline Pairs splat_pair(uint32_t pair) { return (Pairs)_mm512_set1_epi32(static_cast<int>(pair)); }

/** 2^x for x <= 0, relative error 3e-6; 0 far below. NaN stays NaN. */
inline __m512 exp2(__m512 x) {
  x = _mm512_max_ps(_mm512_set1_ps(-200), x);
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 rest = _mm512_sub_ps(x, whole);
  __m512 p = _mm512_set1_ps(9.58282e-3f);
  p = _mm512_fmadd_ps(p, rest, _mm512_set1_ps(5.590637e-2f));
  p = _mm512_fmadd_ps(p, rest, _mm512_set1_ps(2.4024099e-1f));
  p = _mm512_fmadd_ps(p, rest, _mm512_set1_ps(6.931242e-1f));
  p = _mm512_fmadd_ps(p, rest, _mm512_set1_ps(1));
  return _mm512_scalef_ps(p, whole);
}

// Small tiles wait for memory: pages lie scattered, and values are read in columns. So the values are fetched during the
// scores and the next keys during the values, into the second cache: a block is as large as the first.

template <size_t R>
class PairsTile {
 public:
  static constexpr size_t ROWS = R;
  static constexpr size_t PAGES = 4;             // in a block of keys
  static constexpr float UNIT = 0.693147181f;    // of the largest score: ln(2)

  PairsTile(const AttentionArgs& args, size_t kv_head, const TileRows<R>& rows) : args_(args), kv_head_(kv_head), rows_(rows) {
    // Scores come out in powers of two, or as what goes into the soft-cap.
    const __m512 factor = _mm512_set1_ps(args.soft_cap > 0 ? args.scale / args.soft_cap : args.scale * LOG2_E);
    for (size_t r = 0; r < R; r++) {
      for (size_t h = 0; h < args.kv.head_dim; h += 32) {
        const __m512 low = _mm512_mul_ps(_mm512_loadu_ps(rows.q[r] + h), factor);
        const __m512 high = _mm512_mul_ps(_mm512_loadu_ps(rows.q[r] + h + 16), factor);
        _mm512_store_si512(q_[r] + h / 2, (__m512i)_mm512_cvtne2ps_pbh(high, low));
      }
    }
  }

  /** Takes in four pages, of which some may be missing; `next` is fetched meanwhile. */
  void add_keys(TileSums<R>& sums, const size_t (&pages)[PAGES], const size_t (&next)[PAGES], int64_t first_key) {
    const uint8_t* keys[PAGES];
    const uint8_t* values[PAGES];
    const uint8_t* next_keys[PAGES];
    uint64_t there = 0;  // a bit a slot
    const size_t any = *std::min_element(pages, pages + PAGES);
    if (any == NO_PAGE) return;
    const size_t plane = kv_head_ * args_.kv.head_dim * PAGE_ROWS * 2;
    for (size_t i = 0; i < PAGES; i++) {
      if (pages[i] != NO_PAGE) there |= uint64_t{0xffff} << i * PAGE_ROWS;
      const size_t page = pages[i] == NO_PAGE ? any : pages[i];
      keys[i] = args_.kv.keys(page) + plane;
      values[i] = args_.kv.values(page) + plane;
      next_keys[i] = args_.kv.keys(next[i] == NO_PAGE ? page : next[i]) + plane;
    }
    uint64_t seen[R], by_any = 0, by_all = ~uint64_t{0};
    for (size_t r = 0; r < R; r++) {
      seen[r] = there & bits_below(rows_.high[r] - first_key) & ~bits_below(rows_.low[r] - first_key);
      by_any |= seen[r];
      by_all &= seen[r];
    }
    if (by_any == 0) return;

    constexpr size_t AT_ONCE = R > 4 ? 2 : 4;  // pages, as the registers allow
    for (size_t i = 0; i < PAGES; i += AT_ONCE) {
      if ((by_any >> i * PAGE_ROWS & bits_below(AT_ONCE * PAGE_ROWS)) != 0) dot<AT_ONCE>(keys + i, values + i, i);
    }
    soften(sums, seen);
    accumulate(sums, values, next_keys, seen, by_any, by_all);
  }

 private:
  static constexpr size_t KEYS = PAGES * PAGE_ROWS;
  static constexpr float LOG2_E = 1.44269504f;

  /** The lowest `count` bits; all from 64 on, none below 1. */
  static uint64_t bits_below(int64_t count) {
    return count <= 0 ? 0 : count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
  }

  /** scores[r][slot] = q[r] · keys[slot], for N pages from page `first` of the block on. */
  template <size_t N>
  void dot(const uint8_t* const* keys, const uint8_t* const* values, size_t first) {
    __m512 acc[R][N];
    GEMMA_UNROLL
    for (auto& row : acc)
      GEMMA_UNROLL
      for (__m512& page : row) page = _mm512_setzero_ps();
    for (size_t h = 0; h < args_.kv.head_dim / 2; h++) {
      Pairs k[N];
      GEMMA_UNROLL
      for (size_t i = 0; i < N; i++) {
        k[i] = load_pairs(keys[i] + h * 64);
        if constexpr (R <= 4) __builtin_prefetch(values[i] + h * 64, 0, 2);
      }
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++) {
        const Pairs each = splat_pair(q_[r][h]);
        GEMMA_UNROLL
        for (size_t i = 0; i < N; i++) acc[r][i] = _mm512_dpbf16_ps(acc[r][i], k[i], each);
      }
    }
    GEMMA_UNROLL
    for (size_t r = 0; r < R; r++)
      GEMMA_UNROLL
      for (size_t i = 0; i < N; i++) _mm512_store_ps(scores_[r] + (first + i) * PAGE_ROWS, acc[r][i]);
  }

  /** Scores to weights; the largest scores and the sums brought up to date. */
  void soften(TileSums<R>& sums, const uint64_t (&seen)[R]) {
    const __m512 hidden = _mm512_set1_ps(-INFINITE);
    const float cap = args_.soft_cap * LOG2_E;
    float largest[PAGE_ROWS] = {}, before[PAGE_ROWS] = {};
    for (size_t r = 0; r < R; r++) {
      __m512 scores[PAGES];
      for (size_t i = 0; i < PAGES; i++) {
        scores[i] = _mm512_load_ps(scores_[r] + i * PAGE_ROWS);
        if (cap > 0) scores[i] = _mm512_mul_ps(tanh(scores[i]), _mm512_set1_ps(cap));
        scores[i] = _mm512_mask_mov_ps(hidden, static_cast<__mmask16>(seen[r] >> i * PAGE_ROWS), scores[i]);
        _mm512_store_ps(scores_[r] + i * PAGE_ROWS, scores[i]);
      }
      before[r] = sums.largest[r];
      const F32 top = max(max(scores[0], scores[1]), max(scores[2], scores[3]));
      largest[r] = std::max(before[r], gemma::GEMMA_ISA::largest(top));
      sums.largest[r] = largest[r];
    }
    // Where nothing was seen yet, scores are minus infinity, or no numbers, which must not become a zero.
    const __m512 tops = _mm512_loadu_ps(largest);
    const __m512 bases = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(tops, hidden, _CMP_NEQ_OQ), tops);
    _mm512_store_ps(corrections_, exp2(_mm512_sub_ps(_mm512_loadu_ps(before), bases)));
    float base[PAGE_ROWS];
    _mm512_storeu_ps(base, bases);
    const Pairs ones = splat_pair(0x3f803f80);
    for (size_t r = 0; r < R; r++) {
      __m512 sum = _mm512_mul_ps(sums.sums[r], _mm512_set1_ps(corrections_[r]));
      for (size_t i = 0; i < PAGES; i += 2) {
        const __m512 low = exp2(_mm512_sub_ps(_mm512_load_ps(scores_[r] + i * PAGE_ROWS), _mm512_set1_ps(base[r])));
        const __m512 high =
            exp2(_mm512_sub_ps(_mm512_load_ps(scores_[r] + (i + 1) * PAGE_ROWS), _mm512_set1_ps(base[r])));
        const Pairs weights = _mm512_cvtne2ps_pbh(high, low);
        sum = _mm512_dpbf16_ps(sum, weights, ones);
        _mm512_store_si512(weights_[r] + i * PAGE_ROWS / 2, (__m512i)weights);
      }
      sums.sums[r] = sum;
    }
  }

  /** acc[r] = acc[r] · corrections[r] + weights[r] · values, over the slots that row r sees. */
  void accumulate(TileSums<R>& sums, const uint8_t* const (&values)[PAGES], const uint8_t* const (&next_keys)[PAGES],
                  const uint64_t (&seen)[R], uint64_t by_any, uint64_t by_all) const {
    constexpr size_t N = R > 4 ? 2 : 4;  // vectors of 16 columns at once
    constexpr size_t SLOT_PAIRS = PAGE_ROWS / 2;
    const size_t head_dim = args_.kv.head_dim;
    for (size_t column = 0; column < head_dim; column += N * 16) {
      __m512 acc[R][N];
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++)
        GEMMA_UNROLL
        for (size_t n = 0; n < N; n++) {
          acc[r][n] = _mm512_mul_ps(_mm512_load_ps(sums.acc + r * head_dim + column + n * 16), _mm512_set1_ps(corrections_[r]));
        }
      for (size_t i = 0; i < PAGES; i++) {
        const uint8_t* const page = values[i] + column * SLOT_PAIRS * 4;
        const uint8_t* const next = next_keys[i] + column * SLOT_PAIRS * 4;
        const auto add = [&](size_t p, const Pairs (&v)[N]) {
          GEMMA_UNROLL
          for (size_t r = 0; r < R; r++) {
            const Pairs weights = splat_pair(weights_[r][i * SLOT_PAIRS + p]);
            GEMMA_UNROLL
            for (size_t n = 0; n < N; n++) acc[r][n] = _mm512_dpbf16_ps(acc[r][n], v[n], weights);
          }
        };
        const uint64_t all_bits = by_all >> i * PAGE_ROWS & 0xffff, any_bits = by_any >> i * PAGE_ROWS & 0xffff;
        if (any_bits == 0) continue;
        for (size_t p = 0; p < SLOT_PAIRS; p++) {
          Pairs v[N];
          GEMMA_UNROLL
          for (size_t n = 0; n < N; n++) {
            v[n] = load_pairs(page + (n * SLOT_PAIRS + p) * 64);
            if constexpr (R <= 4) __builtin_prefetch(next + (n * SLOT_PAIRS + p) * 64, 0, 2);
          }
          if ((all_bits >> 2 * p & 3) == 3) {
            add(p, v);
          } else if ((any_bits >> 2 * p & 3) != 0) {
            // A value that a row does not see must not reach it, not even times zero: it may be no number.
            for (size_t r = 0; r < R; r++) {
              const uint64_t bits = seen[r] >> (i * PAGE_ROWS + 2 * p) & 3;
              if (bits == 0) continue;
              const __m512i visible = _mm512_set1_epi32((bits & 1 ? 0xffff : 0) | (bits & 2 ? 0xffff0000 : 0));
              const Pairs weights = splat_pair(weights_[r][i * SLOT_PAIRS + p]);
              GEMMA_UNROLL
              for (size_t n = 0; n < N; n++) {
                acc[r][n] = _mm512_dpbf16_ps(acc[r][n], (Pairs)_mm512_and_si512((__m512i)v[n], visible), weights);
              }
            }
          }
        }
      }
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++)
        GEMMA_UNROLL
        for (size_t n = 0; n < N; n++) _mm512_store_ps(sums.acc + r * head_dim + column + n * 16, acc[r][n]);
    }
  }

  const AttentionArgs& args_;
  const size_t kv_head_;
  const TileRows<R>& rows_;
  alignas(64) uint32_t q_[R][MAX_HEAD_DIM / 2];  // pairs of h
  alignas(64) float scores_[R][KEYS];
  alignas(64) uint32_t weights_[R][KEYS / 2];    // pairs of slots
  alignas(64) float corrections_[PAGE_ROWS];
};

}  // namespace gemma::GEMMA_ISA

#endif
