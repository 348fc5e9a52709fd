// Quantised weights times quantised activations: integer sums per group, exact in any order, then one f32
// multiply-add per group (and one per minimum), in ascending order of groups.
#include "kernels/groups.h"
#include "kernels/matmul-tiles.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t K_BLOCK = 1024;         // 16 KB of 8-bit quants
constexpr size_t PREFETCH_BYTES = 4096;  // ahead of the group in use; hides the memory's latency at one row

template <Form FORM>
struct Int8Tile {
  template <size_t ROWS>
  static void run(const PanelTask& task, size_t row, size_t k_begin, size_t k_end) {
    using G = Group<FORM>;
    constexpr QuantForm F = G::F;
    const size_t stride = task.args.weight.columns / X_GROUP;
    const XGroup* const x = task.args.prepared.groups + row * stride;

    Floats sum[ROWS];
    for (size_t r = 0; r < ROWS; r++) sum[r] = task.partial(row + r, k_begin);
    for (size_t g = k_begin / F.group; g < k_end / F.group; g++) {
      const G group(task.panel, g);
      if constexpr (ROWS == 1) {
        for (size_t i = 0; i < F.group_bytes(); i += 64) __builtin_prefetch(group.quants + PREFETCH_BYTES + i);
      }
      Bytes quants[G::VECTORS];
      group.unpack(quants);
      const Floats scale = group.scale();
      Floats min = set(0);
      if constexpr (F.has_min) min = group.min();
      const XGroup* const x_now = x + g * F.group / X_GROUP;
      const size_t part = g % (X_GROUP / F.group);
#pragma GCC unroll 8
      for (size_t r = 0; r < ROWS; r++) {
        const XGroup& x_group = x_now[r * stride];
        const int8_t* const x_quants = x_group.quants + part * F.group;
        // Two sums: with one row a single chain would wait for itself.
        Ints a = set_int(F.has_min || (SIGNED_DOT && F.bits == 8) ? 0 : x_group.starts[part]), b = set_int(0);
#pragma GCC unroll 8
        for (size_t i = 0; i < G::VECTORS; i++) {
          Ints& half = ROWS == 1 && i % 2 == 1 ? b : a;
          half = dot<F.bits>(half, quants[i], load_as<int32_t>(x_quants + 4 * i));
        }
        if constexpr (ROWS == 1) a = add_ints(a, b);
        sum[r] = fma(to_floats(a), mul(scale, set(x_group.scale)), sum[r]);
        if constexpr (F.has_min) sum[r] = fma(min, set(x_group.sums[part]), sum[r]);
      }
    }
    for (size_t r = 0; r < ROWS; r++) store_first(task.out(row + r), sum[r], task.width);
  }
};

}  // namespace

void multiply_int8(const PanelTask& task, size_t row_begin, size_t row_end) {
  switch (task.args.weight.form) {
#define GEMMA_FORM(name, bits, group, scales, min, offset) \
  case Form::name:                                         \
    return multiply_panel<Int8Tile<Form::name>>(task, row_begin, row_end, K_BLOCK);
    GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
    default:
      return;  // dense
  }
}

}  // namespace gemma::GEMMA_ISA
