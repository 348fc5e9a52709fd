// Causal attention over the paged cache, with an online softmax. Contract: src/backend/ops/attention.ts
//
// A tile is R query rows (positions times heads that share a key/value head); it walks its pages in ascending order and
// loads each key and value once for all R. Per page: 16 scores a row as a sum over h of q[h] · keys[h][0..15], which needs
// no horizontal sums; the largest score so far; the weights exp(score - largest); acc = acc · correction + weights · values.
// A row's arithmetic is the same in any tile, and pages begin at multiples of 16 positions: the result is the same in any batch.
#include <algorithm>
#include <type_traits>

#include "kernels.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t PARTS = PAGE_ROWS / LANES;  // vectors of 16 slots, or of 16 columns

// As many accumulators as the registers hold: they hide the latency of fused multiply-adds.
#if defined(__AVX512F__)
constexpr size_t TILE = 8;
constexpr size_t CHAINS = 2;  // even and odd h apart, for tiles of one or two rows
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr size_t TILE = 4;
constexpr size_t CHAINS = 1;
#else
constexpr size_t TILE = 2;
constexpr size_t CHAINS = 1;
#endif
static_assert(TILE <= ATTENTION_BLOCK);

/** Slots [low, high) of a page that a row sees. */
struct Span {
  size_t low;
  size_t high;
};

template <size_t R>
struct Tile {
  float q[MAX_HEAD_DIM * R];             // [H][R]
  float acc[R * MAX_HEAD_DIM];           // [R][H rounded up to 16]
  float weights[R * PAGE_ROWS];          // [R][16]
  float largest[R];
  F32 sums[R];                           // per lane; added up at the end
  int64_t low[R], high[R];               // keys [low, high) that the row sees
};

// Small tiles wait for memory: values are read in columns and pages lie scattered, an order that no processor guesses.
// So the values are fetched during the scores, and the next page's keys during the values.

/** scores[r][slot] = q[r] · keys[slot] */
template <class T, size_t R>
inline void dot(F32 (&scores)[R][PARTS], const float* q, const T* keys, const T* values, size_t head_dim) {
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
      const F32 each = splat(q[h * R + r]);
      GEMMA_UNROLL
      for (size_t i = 0; i < PARTS; i++) chain[r][i] = fma(each, k[i], chain[r][i]);
    }
  };
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
template <class T, size_t R>
inline void accumulate(Tile<R>& tile, const F32 (&corrections)[R], const T* values, const T* next_keys, size_t head_dim,
                       const Span (&spans)[R], Span all, Span common) {
  const size_t padded = (head_dim + PAGE_ROWS - 1) / PAGE_ROWS * PAGE_ROWS;
  // The last 16 columns may reach beyond the row: what they read there is thrown away (the cache ends with slack).
  for (size_t column = 0; column < head_dim; column += PAGE_ROWS) {
    F32 acc[R][PARTS];
    GEMMA_UNROLL
    for (size_t r = 0; r < R; r++)
      GEMMA_UNROLL
      for (size_t i = 0; i < PARTS; i++) acc[r][i] = load(tile.acc + r * padded + column + i * LANES) * corrections[r];
    const auto add = [&](size_t slot, auto is_edge) {
      if constexpr (R <= 4) __builtin_prefetch(next_keys + (column + slot) * PAGE_ROWS);
      F32 v[PARTS];
      GEMMA_UNROLL
      for (size_t i = 0; i < PARTS; i++) v[i] = load(values + slot * head_dim + column + i * LANES);
      GEMMA_UNROLL
      for (size_t r = 0; r < R; r++) {
        if (is_edge && (slot < spans[r].low || slot >= spans[r].high)) continue;
        const F32 weight = splat(tile.weights[r * PAGE_ROWS + slot]);
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
      for (size_t i = 0; i < PARTS; i++) store(tile.acc + r * padded + column + i * LANES, acc[r][i]);
  }
}

/** Minus infinity in the lanes outside the span. */
inline void mask(F32 (&scores)[PARTS], Span slots) {
  I32 slot;
  for (size_t lane = 0; lane < LANES; lane++) slot[lane] = static_cast<int32_t>(lane);
  for (size_t i = 0; i < PARTS; i++) {
    const I32 at = slot + static_cast<int32_t>(i * LANES);
    const I32 seen = (at >= static_cast<int32_t>(slots.low)) & (at < static_cast<int32_t>(slots.high));
    scores[i] = seen ? scores[i] : splat(-INFINITE);
  }
}

/**
 * One row's scores to weights, its largest score and its sums brought up to date. The scales are those of int8, else null.
 * Returns the correction of what has been accumulated so far.
 */
template <size_t R>
inline float soften(Tile<R>& tile, size_t r, F32 (&scores)[PARTS], const AttentionArgs& args, const float* key_scales,
                    const float* value_scales, Span slots) {
  for (size_t i = 0; i < PARTS; i++) {
    scores[i] = scores[i] * splat(args.scale);
    if (key_scales != nullptr) scores[i] = scores[i] * load(key_scales + i * LANES);
    if (args.soft_cap > 0) scores[i] = tanh(scores[i] / splat(args.soft_cap)) * splat(args.soft_cap);
  }
  if (slots.low > 0 || slots.high < PAGE_ROWS) mask(scores, slots);
  F32 top = scores[0];
  for (size_t i = 1; i < PARTS; i++) top = max(top, scores[i]);
  const float largest = std::max(tile.largest[r], gemma::GEMMA_ISA::largest(top));

  float* const weights = tile.weights + r * PAGE_ROWS;
  if (largest == -INFINITE) {  // nothing seen so far, unless it is no number: that must not become a zero
    for (size_t i = 0; i < PARTS; i++) {
      const F32 weight = scores[i] == splat(-INFINITE) ? splat(0) : scores[i];
      tile.sums[r] += weight;
      store(weights + i * LANES, weight);
    }
    return 1;
  }
  const float correction = largest > tile.largest[r] ? exp(splat(tile.largest[r] - largest))[0] : 1;
  tile.largest[r] = largest;
  F32 total = tile.sums[r] * splat(correction);
  for (size_t i = 0; i < PARTS; i++) {
    F32 weight = exp(scores[i] - splat(largest));
    total += weight;
    if (value_scales != nullptr) weight = weight * load(value_scales + i * LANES);
    store(weights + i * LANES, weight);
  }
  tile.sums[r] = total;
  return correction;
}

/** `next` is the page that comes after this one, or this one. */
template <class T, size_t R>
void attend_page(Tile<R>& tile, const AttentionArgs& args, size_t page, size_t next, size_t kv_head, int64_t first_key) {
  const KvLayer& kv = args.kv;
  const size_t plane = kv_head * kv.head_dim * PAGE_ROWS;
  const float* key_scales = nullptr;
  const float* value_scales = nullptr;
  if constexpr (sizeof(T) == 1) {
    key_scales = kv.key_scales(page) + kv_head * PAGE_ROWS;
    value_scales = kv.value_scales(page) + kv_head * PAGE_ROWS;
  }
  F32 scores[R][PARTS];
  const T* const values = reinterpret_cast<const T*>(kv.values(page)) + plane;
  dot(scores, tile.q, reinterpret_cast<const T*>(kv.keys(page)) + plane, values, kv.head_dim);

  F32 corrections[R];
  Span spans[R];
  Span all{PAGE_ROWS, 0}, common{0, PAGE_ROWS};  // slots that any row sees, and that every row sees
  for (size_t r = 0; r < R; r++) {
    const auto slot_of = [&](int64_t key) {
      return static_cast<size_t>(std::clamp<int64_t>(key - first_key, 0, PAGE_ROWS));
    };
    const Span slots{slot_of(tile.low[r]), slot_of(tile.high[r])};
    if (slots.low < slots.high) all = {std::min(all.low, slots.low), std::max(all.high, slots.high)};
    common = {std::max(common.low, slots.low), std::min(common.high, slots.high)};
    spans[r] = slots;
    corrections[r] = splat(soften(tile, r, scores[r], args, key_scales, value_scales, slots));
  }
  if (common.low >= common.high) common = {all.high, all.high};
  const T* const next_keys = reinterpret_cast<const T*>(kv.keys(next)) + plane;
  accumulate(tile, corrections, values, next_keys, kv.head_dim, spans, all, common);
}

/** R (row, head) pairs of a block, from pair `first` on. */
template <class T, size_t R>
void attend(const AttentionArgs& args, const AttentionBlock& block, size_t first) {
  const size_t head_dim = args.kv.head_dim, width = args.query_heads * head_dim;
  const size_t padded = (head_dim + PAGE_ROWS - 1) / PAGE_ROWS * PAGE_ROWS;
  const size_t kv_head = block.head / (args.query_heads / args.kv.kv_heads);
  const auto offset = [&](size_t r) {
    const size_t pair = first + r;
    return (block.row + pair / block.heads) * width + (block.head + pair % block.heads) * head_dim;
  };

  Tile<R> tile;
  std::fill(tile.acc, tile.acc + R * padded, 0.0f);
  int64_t low = INT64_MAX, high = 0;
  for (size_t r = 0; r < R; r++) {
    tile.largest[r] = -INFINITE;
    tile.sums[r] = splat(0);
    const int64_t position = args.plan.positions[block.row + (first + r) / block.heads];
    tile.high[r] = position + 1;
    tile.low[r] = args.window > position ? 0 : position + 1 - args.window;
    low = std::min(low, tile.low[r]);
    high = std::max(high, tile.high[r]);
    const float* const q = args.q + offset(r);
    for (size_t h = 0; h < head_dim; h++) tile.q[h * R + r] = q[h];
  }

  const size_t pages = static_cast<size_t>((std::max<int64_t>(high, 0) + PAGE_ROWS - 1) / PAGE_ROWS);
  const size_t end = std::min(pages, args.plan.table_width);
  for (size_t index = static_cast<size_t>(std::max<int64_t>(low, 0)) / PAGE_ROWS; index < end; index++) {
    const size_t page = args.plan.page(block.row, index, args.kv.page_count);
    if (page == NO_PAGE) continue;
    const size_t next = args.plan.page(block.row, index + 1, args.kv.page_count);
    const int64_t first_key = static_cast<int64_t>(index * PAGE_ROWS);
    attend_page<T>(tile, args, page, next == NO_PAGE ? page : next, kv_head, first_key);
  }

  for (size_t r = 0; r < R; r++) {
    const double total = sum(tile.sums[r]);
    const float* const acc = tile.acc + r * padded;
    const F32 factor = splat(total == 0 ? 0 : static_cast<float>(1 / total));  // zero: no key was seen
    map2(args.out + offset(r), acc, acc, 0, head_dim, [factor](F32 x, F32) { return x * factor; });
  }
}

template <class T>
void attend_block(const AttentionArgs& args, const AttentionBlock& block) {
  const size_t pairs = block.rows * block.heads;
  size_t first = 0;
  for (; first + TILE <= pairs; first += TILE) attend<T, TILE>(args, block, first);
  if constexpr (TILE > 4) {
    for (; first + 4 <= pairs; first += 4) attend<T, 4>(args, block, first);
  }
  if constexpr (TILE > 2) {
    for (; first + 2 <= pairs; first += 2) attend<T, 2>(args, block, first);
  }
  for (; first < pairs; first++) attend<T, 1>(args, block, first);
}

}  // namespace

void attention(const AttentionArgs& args, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    const AttentionBlock& block = args.blocks[i];
    switch (args.kv.dtype) {
      case KvDtype::f32: attend_block<float>(args, block); break;
      case KvDtype::bf16: attend_block<uint16_t>(args, block); break;
      case KvDtype::int8: attend_block<int8_t>(args, block); break;
    }
  }
}

}  // namespace gemma::GEMMA_ISA
