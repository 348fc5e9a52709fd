// Causal attention over the paged cache, with an online softmax. Contract: src/backend/ops/attention.ts
//
// A tile is R query rows (positions times heads that share a key/value head); it walks its keys in blocks of one or more
// pages, in ascending order, and loads each key and value once for all R. Per block: the scores; the largest score so
// far; the weights exp(score - largest); acc = acc · correction + weights · values.
//
// Every ATTENTION_SEGMENT keys a row begins anew, and the parts are merged in ascending order: so threads may compute
// parts of one row. A row's arithmetic is the same in any tile, and blocks and segments begin at fixed positions: the
// result is the same in any batch and on any number of threads.
#include "kernels/attention.h"

#include <type_traits>

#include "kernels/attention-bf16.h"
#include "kernels/attention-fma.h"

namespace gemma::GEMMA_ISA {
namespace {

// As many accumulators as the registers hold: they hide the latency of fused multiply-adds.
#if defined(__AVX512F__)
constexpr size_t FMA_TILE = 8;
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr size_t FMA_TILE = 4;
#else
constexpr size_t FMA_TILE = 2;
#endif

/** What pair `index` of a block is: its offset in q and out, and its row. */
struct Pair {
  size_t row;
  size_t offset;
};

Pair pair_of(const AttentionArgs& args, const AttentionBlock& block, size_t index) {
  const size_t pair = block.first + index, row = block.row + pair / block.heads;
  return {row, (row * args.query_heads + block.head + pair % block.heads) * args.kv.head_dim};
}

/** R pairs of a block, from the block's pair `first` on. */
template <class Tile>
void attend(const AttentionArgs& args, size_t item, size_t first) {
  constexpr size_t R = Tile::ROWS;
  constexpr int64_t KEYS = Tile::PAGES * PAGE_ROWS;
  static_assert(ATTENTION_SEGMENT % KEYS == 0);
  const AttentionBlock& block = args.blocks[item];
  const size_t head_dim = args.kv.head_dim, padded = padded_head(head_dim);

  TileRows<R> rows;
  rows.all_low = INT64_MAX;
  rows.all_high = 0;
  float* totals[R];  // [H]
  AttentionState states[R] = {};
  for (size_t r = 0; r < R; r++) {
    const Pair pair = pair_of(args, block, first + r);
    rows.q[r] = args.q + pair.offset;
    const KeyRange keys = seen_keys(args.plan, pair.row, args.window);
    rows.low[r] = keys.low;
    rows.high[r] = keys.high;
    rows.all_low = std::min(rows.all_low, keys.low);
    rows.all_high = std::max(rows.all_high, keys.high);
    totals[r] = args.parts == nullptr ? args.out + pair.offset : args.part(item, first + r);
  }
  rows.all_low = std::max(rows.all_low, block.keys.low);
  rows.all_high = std::min(rows.all_high, block.keys.high);

  const size_t kv_head = block.head / (args.query_heads / args.kv.kv_heads);
  Tile tile(args, kv_head, rows);
  TileSums<R> sums;
  sums.clear(padded);
  const auto pages_of = [&](int64_t key, size_t (&pages)[Tile::PAGES]) {
    for (size_t i = 0; i < Tile::PAGES; i++) {
      pages[i] = args.plan.page(block.row, static_cast<size_t>(key) / PAGE_ROWS + i, args.kv.page_count);
    }
  };
  const auto end_segment = [&] {
    for (size_t r = 0; r < R; r++) {
      const AttentionState part = {sums.largest[r] * Tile::UNIT, static_cast<float>(sum(sums.sums[r]))};
      merge(totals[r], states[r], sums.acc + r * padded, part, head_dim);
    }
  };
  size_t pages[Tile::PAGES], next[Tile::PAGES];
  int64_t key = rows.all_low / KEYS * KEYS;
  pages_of(key, pages);
  for (; key < rows.all_high; key += KEYS) {
    pages_of(key + KEYS, next);
    tile.add_keys(sums, pages, next, key);
    std::copy(next, next + Tile::PAGES, pages);
    if ((key + KEYS) % ATTENTION_SEGMENT == 0 && key + KEYS < rows.all_high) {
      end_segment();
      sums.clear(padded);
    }
  }
  end_segment();

  for (size_t r = 0; r < R; r++) {
    if (args.parts != nullptr) {
      args.states[item * ATTENTION_BLOCK + first + r] = states[r];
    } else {
      finish(totals[r], states[r], head_dim);
    }
  }
}

/** Cuts a block into tiles of at most MOST pairs; `TileOf<R>` is the tile of R pairs. */
template <template <size_t R> class TileOf, size_t MOST>
void attend_block(const AttentionArgs& args, size_t item) {
  const size_t pairs = args.blocks[item].pairs;
  size_t first = 0;
  const auto tiles_of = [&](auto rows) {
    if constexpr (rows() <= MOST) {
      for (; first + rows() <= pairs; first += rows()) attend<TileOf<rows()>>(args, item, first);
    }
  };
  tiles_of(std::integral_constant<size_t, 12>());
  tiles_of(std::integral_constant<size_t, 8>());
  tiles_of(std::integral_constant<size_t, 4>());
  tiles_of(std::integral_constant<size_t, 2>());
  tiles_of(std::integral_constant<size_t, 1>());
}

template <size_t R>
using F32Tile = FmaTile<float, R>;
template <size_t R>
using Bf16Tile = FmaTile<uint16_t, R>;
template <size_t R>
using Int8Tile = FmaTile<int8_t, R>;

}  // namespace

void attention(const AttentionArgs& args, size_t begin, size_t end) {
  for (size_t item = begin; item < end; item++) {
    switch (args.kv.form) {
      case KvForm::f32: attend_block<F32Tile, FMA_TILE>(args, item); break;
      case KvForm::bf16: attend_block<Bf16Tile, FMA_TILE>(args, item); break;
      case KvForm::int8: attend_block<Int8Tile, FMA_TILE>(args, item); break;
      case KvForm::bf16_pairs:
#if defined(__AVX512BF16__)
        attend_block<PairsTile, ATTENTION_BLOCK>(args, item);
#endif
        break;
    }
  }
}

void merge_attention(const AttentionArgs& args, size_t begin, size_t end) {
  const size_t head_dim = args.kv.head_dim;
  for (size_t i = begin; i < end; i++) {
    const AttentionMerge& parts = args.merges[i];
    for (size_t pair = 0; pair < args.blocks[parts.first].pairs; pair++) {
      float* const out = args.out + pair_of(args, args.blocks[parts.first], pair).offset;
      AttentionState state = {};
      for (size_t item = parts.first; item < parts.first + parts.count; item++) {
        merge(out, state, args.part(item, pair), args.states[item * ATTENTION_BLOCK + pair], head_dim);
      }
      finish(out, state, head_dim);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
