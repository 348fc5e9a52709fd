// One backend instance: its threads, its kernels, and everything that JavaScript knows by a handle.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "kernels.h"
#include "kv.h"
#include "memory.h"
#include "op-state.h"
#include "packing.h"
#include "pool.h"
#include "table.h"

namespace gemma {

enum class Dtype : uint8_t { f32, i32 };

struct Tensor {
  Memory memory;
  size_t elements;
  Dtype dtype;
};

struct Weight {
  Part memory;
  WeightView view;
  StoredDtype dtype;
  size_t packed_rows = 0;        // rows that have been handed over so far
  size_t unscreened = 0;         // calls of chooseIds to come that do not screen it
  std::unique_ptr<PackJob> job;  // while it is packed from a file; last: it ends before its memory is given back
};

constexpr size_t MOST_PRODUCTS = 4;  // of one x, in one call

/** What a product's PreparedX lies in. */
struct XScratch {
  Scratch blocks, sums, pairs;
};

struct Backend {
  Backend(const Kernels& chosen, size_t threads, bool int8)
      : kernels(chosen), pool(threads), packer(chosen, threads), is_int8(int8) {}

  const Kernels& kernels;
  Pool pool;
  Packer packer;       // before the weights, which give up their jobs
  const bool is_int8;  // activations meet quantised weights as integers

  Arena arena;  // of weights
  Table<Tensor> tensors;
  Table<Weight> weights;
  Table<KvCache> caches;

  XScratch x_scratch[MOST_PRODUCTS];
  OpState ops;

  /** Runs a kernel over its items, `grain` in one call where threads share them. */
  template <class Args>
  void run(void (*kernel)(const Args&, size_t, size_t), const Args& args, size_t items, size_t grain) {
    pool.parallel_for(items, grain, [&](size_t begin, size_t end) { kernel(args, begin, end); });
  }
};

}  // namespace gemma
