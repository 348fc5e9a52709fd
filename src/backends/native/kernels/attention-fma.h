// Attention in f32 multiply-adds, for caches of every type: one page at a time, its 16 scores a row as a sum over h of
// q[h] · keys[h][0..15], which needs no horizontal sums.
#pragma once

#include <type_traits>

#include "kernels/attention.h"

namespace gemma::GEMMA_ISA {

/** T: float, uint16_t (bf16) or int8_t. */
template <class T, size_t R>
class FmaTile {
 public:
  static constexpr size_t ROWS = R;
  static constexpr size_t PAGES = 1;  // in a block of keys
  static constexpr float UNIT = 1;    // of the largest score

  FmaTile(const AttentionArgs& args, size_t kv_head, const TileRows<R>& rows) : args_(args), kv_head_(kv_head), rows_(rows) {
    for (size_t h = 0; h < args.kv.head_dim; h++) {
      for (size_t r = 0; r < R; r++) q_[h * R + r] = rows.q[r][h];
    }
  }

  /** Takes in one page, which may be missing; `next` is fetched meanwhile if it is there. */
  void add_keys(TileSums<R>& sums, const size_t (&pages)[PAGES], const size_t (&next)[PAGES], int64_t first_key) {
    const size_t page = pages[0];
    if (page == NO_PAGE) return;
    const KvLayer& kv = args_.kv;
    const size_t plane = kv_head_ * kv.head_dim * PAGE_ROWS;
    const float* key_scales = nullptr;
    const float* value_scales = nullptr;
    if constexpr (sizeof(T) == 1) {
      key_scales = kv.key_scales(page) + kv_head_ * PAGE_ROWS;
      value_scales = kv.value_scales(page) + kv_head_ * PAGE_ROWS;
    }
    F32 scores[R][PARTS];
    const T* const values = reinterpret_cast<const T*>(kv.values(page)) + plane;
    dot(scores, reinterpret_cast<const T*>(kv.keys(page)) + plane, values);

    F32 corrections[R];
    Span spans[R];
    Span all{PAGE_ROWS, 0}, common{0, PAGE_ROWS};  // slots that any row sees, and that every row sees
    for (size_t r = 0; r < R; r++) {
      const auto slot_of = [&](int64_t key) {
        return static_cast<size_t>(std::clamp<int64_t>(key - first_key, 0, PAGE_ROWS));
      };
      const Span slots{slot_of(rows_.low[r]), slot_of(rows_.high[r])};
      if (slots.low < slots.high) all = {std::min(all.low, slots.low), std::max(all.high, slots.high)};
      common = {std::max(common.low, slots.low), std::min(common.high, slots.high)};
      spans[r] = slots;
      corrections[r] = splat(soften(sums, r, scores[r], key_scales, value_scales, slots));
    }
    if (common.low >= common.high) common = {all.high, all.high};
    const T* const next_keys = reinterpret_cast<const T*>(kv.keys(next[0] == NO_PAGE ? page : next[0])) + plane;
    accumulate(sums, corrections, values, next_keys, spans, all, common);
  }

 private:
  static constexpr size_t PARTS = PAGE_ROWS / LANES;  // vectors of 16 slots, or of 16 columns
  // Even and odd h apart, for tiles of one or two rows: accumulators hide the latency of fused multiply-adds.
  static constexpr size_t CHAINS = LANES == 16 ? 2 : 1;

  /** Slots [low, high) of a page that a row sees. */
  struct Span {
    size_t low;
    size_t high;
  };

  // Small tiles wait for memory: values are read in columns and pages lie scattered, an order that no processor
  // guesses. So the values are fetched during the scores, and the next page's keys during the values.

  /** scores[r][slot] = q[r] · keys[slot] */
  void dot(F32 (&scores)[R][PARTS], const T* keys, const T* values) const {
    F32 chains[CHAINS][R][PARTS];
    GEMMA_UNROLL
    for (auto& chain : chains)
      GEMMA_UNROLL
      for (auto& row : chain)
        GEMMA_UNROLL
        for (F32& part : row) part = splat(0);
    const auto step = [&](size_t h, F32 (&chain)[R][PARTS]) {
      if constexpr (R <= 4) __builtin_prefetch(values + h * PAGE_ROWS);
      F32 k[PARTS];
      GEMMA_UNROLL
      for (size_t i = 0; i < PARTS; i++) k[i] = load(keys + h * PAGE_ROWS + i * LANES);
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++) {
        const F32 each = splat(q_[h * R + r]);
        GEMMA_UNROLL
        for (size_t i = 0; i < PARTS; i++) chain[r][i] = fma(each, k[i], chain[r][i]);
      }
    };
    const size_t head_dim = args_.kv.head_dim;
    size_t h = 0;
    for (; h + CHAINS <= head_dim; h += CHAINS)
      GEMMA_UNROLL
      for (size_t c = 0; c < CHAINS; c++) step(h + c, chains[c]);
    for (; h < head_dim; h++) step(h, chains[0]);
    GEMMA_UNROLL
    for (size_t r = 0; r < R; r++)
      GEMMA_UNROLL
      for (size_t i = 0; i < PARTS; i++) {
        scores[r][i] = chains[0][r][i];
        GEMMA_UNROLL
        for (size_t c = 1; c < CHAINS; c++) scores[r][i] += chains[c][r][i];
      }
  }

  /**
   * acc[r] = acc[r] · corrections[r] + sum over the slots that row r sees of weights[r][slot] · values[slot].
   * Slots that only some rows see lie before and behind `common`; a value there must not reach the other rows, not even
   * times zero: it may be no number.
   */
  void accumulate(TileSums<R>& sums, const F32 (&corrections)[R], const T* values, const T* next_keys,
                  const Span (&spans)[R], Span all, Span common) const {
    const size_t head_dim = args_.kv.head_dim, padded = padded_head(head_dim);
    // The last 16 columns may reach beyond the row: what they read there is thrown away (the cache ends with slack).
    for (size_t column = 0; column < head_dim; column += PAGE_ROWS) {
      F32 acc[R][PARTS];
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++)
        GEMMA_UNROLL
        for (size_t i = 0; i < PARTS; i++) acc[r][i] = load(sums.acc + r * padded + column + i * LANES) * corrections[r];
      const auto add = [&](size_t slot, auto is_edge) {
        if constexpr (R <= 4) __builtin_prefetch(next_keys + (column + slot) * PAGE_ROWS);
        F32 v[PARTS];
        GEMMA_UNROLL
        for (size_t i = 0; i < PARTS; i++) v[i] = load(values + slot * head_dim + column + i * LANES);
        GEMMA_UNROLL
        for (size_t r = 0; r < R; r++) {
          if (is_edge && (slot < spans[r].low || slot >= spans[r].high)) continue;
          const F32 weight = splat(weights_[r * PAGE_ROWS + slot]);
          GEMMA_UNROLL
          for (size_t i = 0; i < PARTS; i++) acc[r][i] = fma(weight, v[i], acc[r][i]);
        }
      };
      size_t slot = all.low;
      for (; slot < common.low; slot++) add(slot, std::true_type{});
      for (; slot < common.high; slot++) add(slot, std::false_type{});
      for (; slot < all.high; slot++) add(slot, std::true_type{});
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++)
        GEMMA_UNROLL
        for (size_t i = 0; i < PARTS; i++) store(sums.acc + r * padded + column + i * LANES, acc[r][i]);
    }
  }

  /** Minus infinity in the lanes outside the span. */
  static void mask(F32 (&scores)[PARTS], Span slots) {
    I32 slot;
    for (size_t lane = 0; lane < LANES; lane++) slot[lane] = static_cast<int32_t>(lane);
    for (size_t i = 0; i < PARTS; i++) {
      const I32 at = slot + static_cast<int32_t>(i * LANES);
      const I32 seen = (at >= static_cast<int32_t>(slots.low)) & (at < static_cast<int32_t>(slots.high));
      scores[i] = seen ? scores[i] : splat(-INFINITE);
    }
  }

  /**
   * One row's scores to weights, its largest score and its sums brought up to date. The scales are those of int8, else
   * null. Returns the correction of what has been accumulated so far.
   */
  float soften(TileSums<R>& sums, size_t r, F32 (&scores)[PARTS], const float* key_scales, const float* value_scales,
               Span slots) {
    for (size_t i = 0; i < PARTS; i++) {
      scores[i] = scores[i] * splat(args_.scale);
      if (key_scales != nullptr) scores[i] = scores[i] * load(key_scales + i * LANES);
      if (args_.soft_cap > 0) scores[i] = tanh(scores[i] / splat(args_.soft_cap)) * splat(args_.soft_cap);
    }
    if (slots.low > 0 || slots.high < PAGE_ROWS) mask(scores, slots);
    F32 top = scores[0];
    for (size_t i = 1; i < PARTS; i++) top = max(top, scores[i]);
    const float largest = std::max(sums.largest[r], gemma::GEMMA_ISA::largest(top));

    float* const weights = weights_ + r * PAGE_ROWS;
    if (largest == -INFINITE) {  // nothing seen so far, unless it is no number: that must not become a zero
      for (size_t i = 0; i < PARTS; i++) {
        const F32 weight = scores[i] == splat(-INFINITE) ? splat(0) : scores[i];
        sums.sums[r] += weight;
        store(weights + i * LANES, weight);
      }
      return 1;
    }
    const float correction = largest > sums.largest[r] ? exp(splat(sums.largest[r] - largest))[0] : 1;
    sums.largest[r] = largest;
    F32 total = sums.sums[r] * splat(correction);
    for (size_t i = 0; i < PARTS; i++) {
      F32 weight = exp(scores[i] - splat(largest));
      total += weight;
      if (value_scales != nullptr) weight = weight * load(value_scales + i * LANES);
      store(weights + i * LANES, weight);
    }
    sums.sums[r] = total;
    return correction;
  }

  const AttentionArgs& args_;
  const size_t kv_head_;
  const TileRows<R>& rows_;
  float q_[MAX_HEAD_DIM * R];      // [H][R]
  float weights_[R * PAGE_ROWS];   // [R][16]
};

}  // namespace gemma::GEMMA_ISA
