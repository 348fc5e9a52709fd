// Backends, tensors, weights and caches: everything that has a handle.
#include <cstring>
#include <system_error>

#include "addon.h"
#include "isa.h"

namespace gemma {
namespace {

constexpr int64_t MAX_THREADS = 256;

template <class T>
napi_value give(Args& args, Table<T>& table, std::unique_ptr<T> object) {
  if (table.is_full()) throw Error{"ERR_OUT_OF_MEMORY", "native: too many objects are in use"};
  return args.result(static_cast<double>(table.add(std::move(object))));
}

std::string runnable_isas(const char* separator) {
  std::string names;
  for (const Kernels* kernels : runnable_kernels()) names += (names.empty() ? "" : separator) + std::string(kernels->isa);
  return names;
}

/** isas() -> names of the runnable instruction sets, best first, joined by commas */
napi_value isas(Args& args) { return args.result(runnable_isas(",")); }

/** defaultThreads() -> number */
napi_value defaultThreads(Args& args) { return args.result(static_cast<double>(default_threads())); }

/** createBackend(isa, threads, isInt8) -> backend; an empty isa chooses the best */
napi_value createBackend(Args& args) {
  const std::string isa = args.string();
  const size_t threads = static_cast<size_t>(args.integer(1, MAX_THREADS));
  const bool is_int8 = args.boolean();
  const Kernels* const kernels = find_kernels(isa);
  if (kernels == nullptr)
    throw Error{"ERR_BACKEND_UNAVAILABLE",
                "native: isa must be one that this CPU runs (" + runnable_isas(", ") + "), got " + isa};
  try {
    return give(args, args.addon.backends, std::make_unique<Backend>(*kernels, threads, is_int8));
  } catch (const std::system_error&) {
    throw Error{"ERR_BACKEND_UNAVAILABLE", "native: the system must start " + std::to_string(threads) +
                                               " threads, got fewer; ask for fewer (--threads)"};
  }
}

/** backendIsa(backend) -> name */
napi_value backendIsa(Args& args) { return args.result(std::string(args.backend().kernels.isa)); }

/** disposeBackend(backend): frees all that it owns and joins its threads; nothing if that has happened */
napi_value disposeBackend(Args& args) {
  args.addon.backends.remove(static_cast<uint64_t>(args.integer(0, MAX_HANDLE)));
  return nullptr;
}

/** createTensor(backend, isI32, elements) -> tensor, zeroed */
napi_value createTensor(Args& args) {
  Backend& backend = args.backend();
  auto tensor = std::make_unique<Tensor>();
  tensor->dtype = args.boolean() ? Dtype::i32 : Dtype::f32;
  tensor->elements = static_cast<size_t>(args.integer(0, int64_t{1} << 46));
  tensor->memory = Memory(tensor->elements * 4, Memory::Kind::plain);
  return give(args, backend.tensors, std::move(tensor));
}

/** writeF32(backend, data, tensor, start): copies all of `data` */
napi_value writeF32(Args& args) {
  args.backend();
  const auto data = args.f32_array();
  if (data.length != 0) std::memcpy(args.f32(data.length), data.data, data.length * 4);
  return nullptr;
}

/** writeI32(backend, data, tensor, start) */
napi_value writeI32(Args& args) {
  args.backend();
  const auto data = args.i32_array();
  if (data.length != 0) std::memcpy(args.i32(data.length), data.data, data.length * 4);
  return nullptr;
}

/** readF32(backend, data, tensor, start): fills all of `data` */
napi_value readF32(Args& args) {
  args.backend();
  const auto data = args.f32_array();
  if (data.length != 0) std::memcpy(data.data, args.f32(data.length), data.length * 4);
  return nullptr;
}

/** readI32(backend, data, tensor, start) */
napi_value readI32(Args& args) {
  args.backend();
  const auto data = args.i32_array();
  if (data.length != 0) std::memcpy(data.data, args.i32(data.length), data.length * 4);
  return nullptr;
}

/** Heads of other widths do without the dot units; so does the exact mode, as they round queries and weights to bf16. */
KvForm kv_form(const Backend& backend, int64_t dtype, size_t head_dim) {
  const KvForm form = static_cast<KvForm>(dtype);
  const bool has_pairs = backend.kernels.has_bf16_dots && backend.is_int8 && head_dim % PAIRS_HEAD_DIM == 0;
  return form == KvForm::bf16 && has_pairs ? KvForm::bf16_pairs : form;
}

/** createCache(backend, dtype 0 f32 | 1 bf16 | 2 int8, kvHeads, headDim, layerGroups, groupPages) -> cache; see kv.h */
napi_value createCache(Args& args) {
  Backend& backend = args.backend();
  const int64_t dtype = args.integer(0, 2);
  const size_t kv_heads = static_cast<size_t>(args.integer(1, 1 << 16));
  const size_t head_dim = static_cast<size_t>(args.integer(1, 1 << 16));
  const auto groups = args.i32_array();
  const auto pages = args.i32_array();

  auto cache = std::make_unique<KvCache>();
  KvLayer layer{nullptr, 0, 0, kv_heads, head_dim, kv_form(backend, dtype, head_dim)};
  const size_t scale_bytes = layer.form == KvForm::int8 ? 2 * PAGE_ROWS * kv_heads * sizeof(float) : 0;
  const size_t page_bytes = 2 * layer.plane_bytes() + scale_bytes;
  layer.page_bytes = (page_bytes + 63) / 64 * 64;
  size_t total = 0;
  for (size_t i = 0; i < groups.length; i++) {
    const int32_t group = groups.data[i];
    const int32_t count = group >= 0 && static_cast<size_t>(group) < pages.length ? pages.data[group] : -1;
    if (count < 0)
      throw Error{"ERR_RANGE", "native: layer " + std::to_string(i) + " must be in a group with a page count"};
    layer.page_count = static_cast<size_t>(count);
    cache->layers.push_back(layer);
    cache->layer_groups.push_back(static_cast<size_t>(group));
    total += multiply(layer.page_count, layer.page_bytes);
    multiply(total, 1);
  }
  cache->memory = Memory(total, Memory::Kind::lazy);
  cache->size_bytes = total;
  uint8_t* next = cache->memory.data();
  for (KvLayer& each : cache->layers) {
    each.pages = next;
    next += each.page_count * each.page_bytes;
  }
  return give(args, backend.caches, std::move(cache));
}

/** cacheBytes(backend, cache) -> size of its memory when all pages are in use */
napi_value cacheBytes(Args& args) {
  args.backend();
  return args.result(static_cast<double>(args.cache().size_bytes));
}

/**
 * createWeight(backend, dtype, N, K, isScreened) -> weight, to be filled by packRows or packFile; screened: in two
 * planes, if its type and the activations allow it
 */
napi_value createWeight(Args& args) {
  Backend& backend = args.backend();
  const std::string name = args.string();
  const size_t rows = static_cast<size_t>(args.integer(1, INT32_MAX));
  const size_t columns = static_cast<size_t>(args.integer(1, INT32_MAX));
  const bool is_screened = args.boolean();
  for (size_t i = 0; i < std::size(STORED_FORMATS); i++) {
    const StoredFormat& format = STORED_FORMATS[i];
    if (name != format.name) continue;
    if (columns % format.block_elements != 0) {
      throw Error{"ERR_INVALID_SHAPE", "native: a row of " + name + " must be a multiple of " +
                                           std::to_string(format.block_elements) + " wide, got " +
                                           std::to_string(columns)};
    }
    auto weight = std::make_unique<Weight>();
    weight->dtype = static_cast<StoredDtype>(i);
    const size_t panels = (rows + PANEL_ROWS - 1) / PANEL_ROWS;
    const bool can_split = backend.is_int8 && weight->dtype == StoredDtype::Q8_0 && columns <= MAX_SPLIT_COLUMNS;
    const bool is_split = is_screened && can_split;
    const size_t bytes = is_split ? upper_panel_bytes(columns) : panel_bytes(format.form, columns);
    const size_t upper = (multiply(panels, bytes) + 63) / 64 * 64;
    const size_t lower = is_split ? multiply(panels, lower_panel_bytes(columns)) : 0;
    weight->memory = backend.arena.allocate(upper + lower);
    uint8_t* const data = weight->memory.data;
    weight->view = {data, rows, columns, bytes, format.form, is_split ? data + upper : nullptr};
    return give(args, backend.weights, std::move(weight));
  }
  throw Error{"ERR_INVALID_DTYPE", "native: a weight's type must be a known one, got " + name};
}

/** isScreened(backend, weight) -> whether chooseIds can read it in part */
napi_value isScreened(Args& args) {
  args.backend();
  return args.result(args.unpacked_weight().view.low != nullptr ? 1.0 : 0.0);
}

/** weightBytes(backend, weight) -> size of the packed form */
napi_value weightBytes(Args& args) {
  args.backend();
  return args.result(static_cast<double>(args.unpacked_weight().memory.size));
}

/** freeTensor(backend, tensor), freeWeight(backend, weight), freeCache(backend, cache): nothing if it is freed */
napi_value freeTensor(Args& args) {
  args.backend().tensors.remove(static_cast<uint64_t>(args.integer(0, MAX_HANDLE)));
  return nullptr;
}

napi_value freeWeight(Args& args) {
  args.backend().weights.remove(static_cast<uint64_t>(args.integer(0, MAX_HANDLE)));
  return nullptr;
}

napi_value freeCache(Args& args) {
  args.backend().caches.remove(static_cast<uint64_t>(args.integer(0, MAX_HANDLE)));
  return nullptr;
}

}  // namespace

std::vector<Method> memory_methods() {
  return {
      GEMMA_METHOD(isas),           GEMMA_METHOD(defaultThreads), GEMMA_METHOD(createBackend), GEMMA_METHOD(backendIsa),
      GEMMA_METHOD(disposeBackend), GEMMA_METHOD(createTensor),   GEMMA_METHOD(writeF32),      GEMMA_METHOD(writeI32),
      GEMMA_METHOD(readF32),        GEMMA_METHOD(readI32),        GEMMA_METHOD(createCache),   GEMMA_METHOD(cacheBytes),
      GEMMA_METHOD(createWeight),   GEMMA_METHOD(isScreened),     GEMMA_METHOD(weightBytes),   GEMMA_METHOD(freeTensor),
      GEMMA_METHOD(freeWeight),     GEMMA_METHOD(freeCache),
  };
}

}  // namespace gemma
