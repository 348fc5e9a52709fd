// The paged key/value cache in memory.
//
// A page holds PAGE_ROWS consecutive positions ("slots") of one sequence. For one layer it is
//
//     keys   [K][H][16]   transposed: the scores of 16 slots are a sum over h of q[h] · keys[h][0..15]
//     values [K][16][H]
//     key scales   f32 [K][16]   int8 only: value = int8 · scale
//     value scales f32 [K][16]   int8 only
//
// with K key/value heads of width H, in f32, bf16 or int8. Pages of a layer lie one behind the other.
// bf16_pairs is bf16 as the bf16 dot units want it, which add up the products of two neighbours:
//
//     keys   [K][H/2][16][2]          pairs of h
//     values [K][H/16][8][16][2]      16 columns of pairs of slots
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace gemma {

constexpr size_t PAGE_ROWS = 16;

enum class KvForm : uint8_t { f32, bf16, int8, bf16_pairs };

constexpr size_t PAIRS_HEAD_DIM = 64;  // bf16_pairs has heads of multiples of this width

inline size_t kv_element_bytes(KvForm form) { return form == KvForm::f32 ? 4 : form == KvForm::int8 ? 1 : 2; }

/** What kernels see of one layer of the cache. */
struct KvLayer {
  uint8_t* pages;
  size_t page_count;
  size_t page_bytes;  // distance of two pages, a multiple of 64
  size_t kv_heads;    // K
  size_t head_dim;    // H
  KvForm form;

  size_t plane_bytes() const { return PAGE_ROWS * kv_heads * head_dim * kv_element_bytes(form); }
  /** [K][H][16] of the page. */
  uint8_t* keys(size_t page) const { return pages + page * page_bytes; }
  /** [K][16][H] of the page. */
  uint8_t* values(size_t page) const { return keys(page) + plane_bytes(); }
  /** int8 only: [K][16]. */
  float* key_scales(size_t page) const { return reinterpret_cast<float*>(values(page) + plane_bytes()); }
  /** int8 only: [K][16]. */
  float* value_scales(size_t page) const { return key_scales(page) + kv_heads * PAGE_ROWS; }
};

struct KvCache {
  Memory memory;
  std::vector<KvLayer> layers;
  std::vector<size_t> layer_groups;  // group of each layer; a StepPlan has one page table per group
  size_t size_bytes = 0;
};

}  // namespace gemma
