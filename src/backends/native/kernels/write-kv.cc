// Writes keys (transposed) and values of a step into their pages. Contract: src/backend/ops/write-kv.ts
#include <cmath>
#include <cstring>

#include "kernels.h"
#include "kernels/half.h"

namespace gemma::GEMMA_ISA {
namespace {

template <class T>
T converted(float x, float inverse);
template <>
float converted<float>(float x, float) { return x; }
template <>
uint16_t converted<uint16_t>(float x, float) { return f32_to_bf16(x); }
template <>
int8_t converted<int8_t>(float x, float inverse) {
  const float q = std::nearbyintf(x * inverse);
  return q >= -127 && q <= 127 ? static_cast<int8_t>(q) : 0;  // 0 for NaN
}

float largest_magnitude(const float* x, size_t count) {
  float largest = 0;
  for (size_t i = 0; i < count; i++) largest = std::fabs(x[i]) > largest ? std::fabs(x[i]) : largest;
  return largest;
}

/** One head of one row, to `to` with a distance of `stride` elements. Returns the scale of int8. */
template <class T>
float write_head(T* to, size_t stride, const float* x, size_t head_dim) {
  float scale = 0, inverse = 0;
  if constexpr (sizeof(T) == 1) {
    const float largest = largest_magnitude(x, head_dim);
    scale = largest / 127;
    inverse = largest > 0 ? 127 / largest : 0;
  }
  for (size_t h = 0; h < head_dim; h++) to[h * stride] = converted<T>(x[h], inverse);
  return scale;
}

template <class T>
void write_row(const WriteKvArgs& args, size_t t, size_t page, size_t slot) {
  const KvLayer& kv = args.kv;
  T* const keys = reinterpret_cast<T*>(kv.keys(page));
  T* const values = reinterpret_cast<T*>(kv.values(page));
  for (size_t head = 0; head < kv.kv_heads; head++) {
    const size_t from = (t * kv.kv_heads + head) * kv.head_dim;
    const float k = write_head(keys + head * kv.head_dim * PAGE_ROWS + slot, PAGE_ROWS, args.k + from, kv.head_dim);
    const float v = write_head(values + (head * PAGE_ROWS + slot) * kv.head_dim, 1, args.v + from, kv.head_dim);
    if constexpr (sizeof(T) == 1) {
      kv.key_scales(page)[head * PAGE_ROWS + slot] = k;
      kv.value_scales(page)[head * PAGE_ROWS + slot] = v;
    }
  }
}

void write_pairs(const WriteKvArgs& args, size_t t, size_t page, size_t slot) {
  const KvLayer& kv = args.kv;
  uint32_t* keys = reinterpret_cast<uint32_t*>(kv.keys(page)) + slot;
  uint16_t* values = reinterpret_cast<uint16_t*>(kv.values(page)) + slot / 2 * 32 + slot % 2;
  const size_t from = t * kv.kv_heads * kv.head_dim;
  for (size_t i = from; i < from + kv.kv_heads * kv.head_dim; i += PAIRS_HEAD_DIM) {
    uint16_t k[PAIRS_HEAD_DIM], v[PAIRS_HEAD_DIM];
    for (size_t h = 0; h < PAIRS_HEAD_DIM; h++) k[h] = f32_to_bf16(args.k[i + h]);
    for (size_t h = 0; h < PAIRS_HEAD_DIM; h++) v[h] = f32_to_bf16(args.v[i + h]);
    for (size_t h = 0; h < PAIRS_HEAD_DIM; h += 2, keys += PAGE_ROWS) std::memcpy(keys, k + h, 4);
    for (size_t column = 0; column < PAIRS_HEAD_DIM; column += 16, values += 16 * PAGE_ROWS) {
      for (size_t h = 0; h < 16; h++) values[2 * h] = v[column + h];
    }
  }
}

}  // namespace

void write_kv(const WriteKvArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    const int32_t position = args.plan.positions[t];
    if (position < 0) continue;
    const size_t page = args.plan.page(t, position / PAGE_ROWS, args.kv.page_count);
    if (page == NO_PAGE) continue;
    const size_t slot = position % PAGE_ROWS;
    switch (args.kv.form) {
      case KvForm::f32: write_row<float>(args, t, page, slot); break;
      case KvForm::bf16: write_row<uint16_t>(args, t, page, slot); break;
      case KvForm::int8: write_row<int8_t>(args, t, page, slot); break;
      case KvForm::bf16_pairs: write_pairs(args, t, page, slot); break;
    }
  }
}

}  // namespace gemma::GEMMA_ISA
