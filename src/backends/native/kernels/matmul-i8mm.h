// A panel that is unpacked once for many rows, and its tiles of rows, with ARM's matrix instruction: 2 rows of x times
// 2 outputs over 8 k, twice the products of a dot product. The integer sums are exact and the floats meet in the order
// of multiply_tile (matmul-int8.cc), so a row has the same bits as alone.
#pragma once

#include "kernels/groups.h"
#include "kernels/matmul-tiles.h"

namespace gemma::GEMMA_ISA {
namespace {

/** 16 outputs of two rows of x: register i holds outputs 2i, 2i + 1 of the first row, then those of the second. */
struct PairFloats {
  float32x4_t v[8];
};

inline PairFloats pair(const Floats& first, const Floats& second) {
  PairFloats out;
  for (int i = 0; i < 4; i++) {
    const float64x2_t a = vreinterpretq_f64_f32(first.v[i]), b = vreinterpretq_f64_f32(second.v[i]);
    out.v[2 * i] = vreinterpretq_f32_f64(vzip1q_f64(a, b));
    out.v[2 * i + 1] = vreinterpretq_f32_f64(vzip2q_f64(a, b));
  }
  return out;
}
inline Floats first_of(const PairFloats& x) {
  return each<Floats>([&](int i) { return vcombine_f32(vget_low_f32(x.v[2 * i]), vget_low_f32(x.v[2 * i + 1])); });
}
inline Floats second_of(const PairFloats& x) {
  return each<Floats>([&](int i) { return vcombine_f32(vget_high_f32(x.v[2 * i]), vget_high_f32(x.v[2 * i + 1])); });
}

/** K columns of a panel that several tiles read. */
template <Form FORM, size_t K>
struct UnpackedPairs {
  using G = Group<FORM>;  // a SplitGroup has the same numbers
  static constexpr size_t GROUPS = K / G::F.group;

  int8x16_t quants[GROUPS][G::F.group / 8][8];  // less the offset; register i: 8 k of output 2i, then of 2i + 1
  PairFloats scales[GROUPS];
  PairFloats mins[G::F.has_min ? GROUPS : 1];

  template <class Panel>
  void fill(const Panel& panel, size_t begin, size_t end) {
    for (size_t g = begin; g < end; g++) {
      const auto group = panel.group(g);
      Bytes vectors[G::VECTORS];
      group.unpack(vectors);
      for (size_t i = 0; i < G::F.group / 8; i++) zip(quants[g - begin][i], vectors[2 * i], vectors[2 * i + 1]);
      scales[g - begin] = pair(group.scale(), group.scale());
      if constexpr (G::F.has_min) mins[g - begin] = pair(group.min(), group.min());
    }
  }

 private:
  /** [16 outputs][4 k] and the next 4 k to [16 outputs][8 k]. */
  static void zip(int8x16_t* out, const Bytes& k0, const Bytes& k4) {
    const uint8x16_t offset = vdupq_n_u8(G::F.offset);
    for (int i = 0; i < 4; i++) {
      const uint32x4_t a = vreinterpretq_u32_u8(vsubq_u8(k0.v[i], offset));
      const uint32x4_t b = vreinterpretq_u32_u8(vsubq_u8(k4.v[i], offset));
      out[2 * i] = vreinterpretq_s8_u32(vzip1q_u32(a, b));
      out[2 * i + 1] = vreinterpretq_s8_u32(vzip2q_u32(a, b));
    }
  }
};

/** Two rows of x at the same block of k. */
struct XPair {
  const XBlock* first;
  const XBlock* second;

  /** [2 rows][8 k], twice, from 16 k on. */
  void load(int8x16_t (&out)[2], size_t k) const {
    const int64x2_t a = vreinterpretq_s64_s8(vld1q_s8(first->quants + k));
    const int64x2_t b = vreinterpretq_s64_s8(vld1q_s8(second->quants + k));
    out[0] = vreinterpretq_s8_s64(vzip1q_s64(a, b));
    out[1] = vreinterpretq_s8_s64(vzip2q_s64(a, b));
  }
};

/** A value of each row as PairFloats has them. */
inline float32x4_t pair(float first, float second) { return vcombine_f32(vdup_n_f32(first), vdup_n_f32(second)); }

/** Group `part` of the blocks x[p], which is still to be multiplied with the blocks' scales. */
template <Form FORM, size_t K, size_t PAIRS>
inline void multiply_group(PairFloats (&out)[PAIRS], const UnpackedPairs<FORM, K>& block, size_t g, const XPair* x,
                           size_t part) {
  constexpr QuantForm F = quant_form(FORM);
  int32x4_t dots[PAIRS][8];
  for (size_t p = 0; p < PAIRS; p++) {
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) dots[p][i] = vdupq_n_s32(0);
  }
#pragma GCC unroll 2
  for (size_t k = 0; k < F.group; k += 16) {
    int8x16_t x16[PAIRS][2];
    for (size_t p = 0; p < PAIRS; p++) x[p].load(x16[p], part * F.group + k);
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++) {
      const int8x16_t quants = block.quants[g][k / 8 + i / 8][i % 8];
      for (size_t p = 0; p < PAIRS; p++) dots[p][i % 8] = vmmlaq_s32(dots[p][i % 8], x16[p][i / 8], quants);
    }
  }
  for (size_t p = 0; p < PAIRS; p++) {
    float32x4_t x_sums = {};
    if constexpr (F.has_min) x_sums = pair(x[p].first->sums[part], x[p].second->sums[part]);
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) {
      const float32x4_t product = vcvtq_f32_s32(dots[p][i]), scale = block.scales[g].v[i];
      out[p].v[i] = part == 0 ? vmulq_f32(product, scale) : vfmaq_f32(out[p].v[i], product, scale);
      if constexpr (F.has_min) out[p].v[i] = vfmaq_f32(out[p].v[i], block.mins[g].v[i], x_sums);
    }
  }
}

/** A tile of rows times k_begin .. k_end, which `block` holds. */
template <Form FORM, size_t ROWS, size_t K, class Ahead>
void multiply_unpacked(const PanelTask& task, const UnpackedPairs<FORM, K>& block, size_t row, size_t k_begin,
                       size_t k_end, Ahead& ahead) {
  constexpr size_t PAIRS = (ROWS + 1) / 2, PARTS = X_BLOCK / quant_form(FORM).group;
  const auto second = [](size_t p) { return 2 * p + 1 < ROWS ? 2 * p + 1 : 2 * p; };  // an odd row is its own partner
  const size_t stride = task.args.weight.columns / X_BLOCK;
  const XBlock* const blocks = task.args.prepared.blocks + row * stride + k_begin / X_BLOCK;

  XPair x[PAIRS];
  PairFloats sum[PAIRS];
  for (size_t p = 0; p < PAIRS; p++) {
    x[p] = {blocks + 2 * p * stride, blocks + second(p) * stride};
    sum[p] = pair(task.partial(row + 2 * p, k_begin), task.partial(row + second(p), k_begin));
  }
  for (size_t b = 0; b < (k_end - k_begin) / X_BLOCK; b++) {
    PairFloats in_block[PAIRS];
#pragma GCC unroll 2
    for (size_t part = 0; part < PARTS; part++) {
      ahead.advance();
      multiply_group(in_block, block, b * PARTS + part, x, part);
    }
    for (size_t p = 0; p < PAIRS; p++) {
      const float32x4_t scale = pair(x[p].first->scale, x[p].second->scale);
      for (int i = 0; i < 8; i++) sum[p].v[i] = vfmaq_f32(sum[p].v[i], in_block[p].v[i], scale);
      x[p] = {x[p].first + 1, x[p].second + 1};
    }
  }
  for (size_t p = 0; p < PAIRS; p++) {
    store_first(task.out(row + 2 * p), first_of(sum[p]), task.width);
    if (2 * p + 1 < ROWS) store_first(task.out(row + 2 * p + 1), second_of(sum[p]), task.width);
  }
}

}  // namespace
}  // namespace gemma::GEMMA_ISA
