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
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace gemma {

constexpr size_t PAGE_ROWS = 16;

enum class KvDtype : uint8_t { f32, bf16, int8 };

inline size_t kv_element_bytes(KvDtype dtype) { return dtype == KvDtype::f32 ? 4 : dtype == KvDtype::bf16 ? 2 : 1; }

/** What kernels see of one layer of the cache. */
struct KvLayer {
  uint8_t* pages;
  size_t page_count;
  size_t page_bytes;  // distance of two pages, a multiple of 64
  size_t kv_heads;    // K
  size_t head_dim;    // H
  KvDtype dtype;

  size_t plane_bytes() const { return PAGE_ROWS * kv_heads * head_dim * kv_element_bytes(dtype); }
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
