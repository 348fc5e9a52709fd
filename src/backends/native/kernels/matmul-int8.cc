// Quantised weights times quantised activations: integer sums per group, exact in any order, then in ascending order of
// k one f32 operation per group (a block's first multiplies, its second multiplies and adds), one per minimum and one
// per block of x.
#include "kernels/groups.h"
#include "kernels/matmul-tiles.h"
#if defined(__ARM_FEATURE_MATMUL_INT8)
#include "kernels/matmul-i8mm.h"
#endif

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t K_BLOCK = 2048;         // of a panel, unpacked on the stack: 32 KB of quants, 64 KB with scales at most
constexpr size_t DIRECT_TILE = MAX_TILE < 4 ? MAX_TILE : 4;  // leaves registers to the weights that are being unpacked
constexpr size_t DIRECT_ROWS = 4;        // up to here unpacking anew for each tile costs less than storing it

/** Group `part` of the block x[r * stride] of each row, which is still to be multiplied with the block's scale. */
template <Form FORM, size_t ROWS>
inline void multiply_group(Floats (&out)[ROWS], const Bytes* quants, Floats scale, Floats min, const XBlock* x,
                           size_t stride, size_t part) {
  constexpr QuantForm F = quant_form(FORM);
  Ints dots[ROWS];
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++) {
    dots[r] = set_int(F.has_min || (SIGNED_DOT && F.bits == 8) ? 0 : x[r * stride].starts[part]);
  }
  dot_group<F.bits, F.group / 4>(dots, quants, x->quants + part * F.group, stride * sizeof(XBlock));
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++) {
    out[r] = part == 0 ? mul(to_floats(dots[r]), scale) : fma(to_floats(dots[r]), scale, out[r]);
    if constexpr (F.has_min) out[r] = fma(min, set(x[r * stride].sums[part]), out[r]);
  }
}

/** A tile of rows times k_begin .. k_end. group(g, run) calls run(quants, scale, min) with group g of the panel. */
template <Form FORM, size_t ROWS, class GroupOf>
inline void multiply_tile(const PanelTask& task, size_t row, size_t k_begin, size_t k_end, const GroupOf& group) {
  constexpr size_t PARTS = X_BLOCK / quant_form(FORM).group;
  const size_t stride = task.args.weight.columns / X_BLOCK;
  const XBlock* x = task.args.prepared.blocks + row * stride + k_begin / X_BLOCK;

  Floats sum[ROWS];
  for (size_t r = 0; r < ROWS; r++) sum[r] = task.partial(row + r, k_begin);
  for (size_t b = k_begin / X_BLOCK; b < k_end / X_BLOCK; b++, x++) {
    Floats in_block[ROWS];
#pragma GCC unroll 2
    for (size_t part = 0; part < PARTS; part++) {
      group(b * PARTS + part, [&](const Bytes* quants, Floats scale, Floats min) {
        multiply_group<FORM>(in_block, quants, scale, min, x, stride, part);
      });
    }
    for (size_t r = 0; r < ROWS; r++) sum[r] = fma(in_block[r], set(x[r * stride].scale), sum[r]);
  }
  for (size_t r = 0; r < ROWS; r++) store_first(task.out(row + r), sum[r], task.width);
}

/** A tile of rows times all of k; groups are unpacked into registers. */
template <Form FORM, size_t ROWS>
void multiply_packed(const PanelTask& task, size_t row) {
  using G = Group<FORM>;
  multiply_tile<FORM, ROWS>(task, row, 0, task.args.weight.columns, [&](size_t g, const auto& run) {
    const G group(task.panel, g);
    Bytes quants[G::VECTORS];
    group.unpack(quants);
    Floats min = set(0);
    if constexpr (G::F.has_min) min = group.min();
    run(quants, group.scale(), min);
  });
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
template <Form FORM>
using Unpacked = UnpackedPairs<FORM, K_BLOCK>;
#else
/** Part of a panel that several tiles read: unpacked once for all of them. */
template <Form FORM>
struct Unpacked {
  using G = Group<FORM>;
  static constexpr size_t GROUPS = K_BLOCK / G::F.group;

  Bytes quants[GROUPS][G::VECTORS];
  Floats scales[GROUPS];
  Floats mins[G::F.has_min ? GROUPS : 1];

  void fill(const uint8_t* panel, size_t begin, size_t end) {
    for (size_t g = begin; g < end; g++) {
      const G group(panel, g);
      group.unpack(quants[g - begin]);
      scales[g - begin] = group.scale();
      if constexpr (G::F.has_min) mins[g - begin] = group.min();
    }
  }
};

/** A tile of rows times k_begin .. k_end, which `block` holds. */
template <Form FORM, size_t ROWS>
void multiply_unpacked(const PanelTask& task, const Unpacked<FORM>& block, size_t row, size_t k_begin, size_t k_end) {
  constexpr QuantForm F = quant_form(FORM);
  multiply_tile<FORM, ROWS>(task, row, k_begin, k_end, [&](size_t g, const auto& run) {
    const size_t i = g - k_begin / F.group;
    run(block.quants[i], block.scales[i], block.mins[F.has_min ? i : 0]);
  });
}
#endif

template <Form FORM>
void multiply(const PanelTask& task, size_t row_begin, size_t row_end) {
  if (row_end - row_begin <= DIRECT_ROWS) {
    for_tiles<DIRECT_TILE>(row_begin, row_end,
                           [&](auto rows, size_t row) { multiply_packed<FORM, rows()>(task, row); });
    return;
  }
  const size_t columns = task.args.weight.columns;
  Unpacked<FORM> block;
  for (size_t k = 0; k < columns; k += K_BLOCK) {
    const size_t k_end = K_BLOCK < columns - k ? k + K_BLOCK : columns;
    block.fill(task.panel, k / Group<FORM>::F.group, k_end / Group<FORM>::F.group);
    // While tiles meet this part of the panel, the next one comes out of memory.
    const uint8_t* ahead = task.panel + panel_bytes(FORM, k_end);
    const size_t bytes = panel_bytes(FORM, k_end - k), step = bytes / (row_end - row_begin);
    for_tiles<MAX_TILE>(row_begin, row_end, [&](auto rows, size_t row) {
      for (const uint8_t* const end = ahead + rows() * step; ahead < end; ahead += 64) __builtin_prefetch(ahead, 0, 2);
      multiply_unpacked<FORM, rows()>(task, block, row, k, k_end);
    });
  }
}

}  // namespace

void multiply_int8(const PanelTask& task, size_t row_begin, size_t row_end) {
  switch (task.args.weight.form) {
#define GEMMA_FORM(name, bits, group, scales, min, offset) \
  case Form::name:                                         \
    return multiply<Form::name>(task, row_begin, row_end);
    GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
    default:
      return;  // dense
  }
}

}  // namespace gemma::GEMMA_ISA
