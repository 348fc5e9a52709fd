// Weights times f32 activations. Products are summed in blocks of k, even and odd k apart, and the blocks' sums
// are added in ascending order: shorter chains of rounding, and two chains for the multiply-add units.
#include "kernels/groups.h"
#include "kernels/matmul-tiles.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t K_BLOCK = 512;
constexpr size_t DENSE_BLOCK = 32;  // k whose products are summed apart
constexpr size_t PREFETCH_BYTES = 4096;

template <Form FORM>
struct F32Tile {
  template <size_t ROWS>
  static void run(const PanelTask& task, size_t row, size_t k_begin, size_t k_end) {
    if constexpr (ROWS > 4) {  // registers for four rows
      run<4>(task, row, k_begin, k_end);
      run<ROWS - 4>(task, row + 4, k_begin, k_end);
    } else {
      multiply<ROWS>(task, row, k_begin, k_end);
    }
  }

 private:
  template <size_t ROWS>
  static void multiply(const PanelTask& task, size_t row, size_t k_begin, size_t k_end) {
    using G = Group<FORM>;
    constexpr QuantForm F = G::F;
    const size_t columns = task.args.weight.columns, groups = columns / F.group;
    const float* const x = task.args.x + row * columns;

    Floats sum[ROWS];
    for (size_t r = 0; r < ROWS; r++) sum[r] = task.partial(row + r, k_begin);
    for (size_t g = k_begin / F.group; g < k_end / F.group; g++) {
      const G group(task.panel, g);
      if constexpr (ROWS == 1) {
        for (size_t i = 0; i < F.group_bytes(); i += 64) __builtin_prefetch(group.quants + PREFETCH_BYTES + i);
      }
      Bytes quants[G::VECTORS];
      group.unpack(quants);
      Floats even[ROWS], odd[ROWS];
      for (size_t r = 0; r < ROWS; r++) even[r] = odd[r] = set(0);
      for (size_t i = 0; i < G::VECTORS; i++) {
        const float* const x_now = x + g * F.group + 4 * i;
        const Floats q0 = quants_to_floats<0>(quants[i], F.offset), q1 = quants_to_floats<1>(quants[i], F.offset);
        const Floats q2 = quants_to_floats<2>(quants[i], F.offset), q3 = quants_to_floats<3>(quants[i], F.offset);
#pragma GCC unroll 4
        for (size_t r = 0; r < ROWS; r++) {
          even[r] = fma(q0, set(x_now[r * columns]), even[r]);
          odd[r] = fma(q1, set(x_now[r * columns + 1]), odd[r]);
          even[r] = fma(q2, set(x_now[r * columns + 2]), even[r]);
          odd[r] = fma(q3, set(x_now[r * columns + 3]), odd[r]);
        }
      }
      const Floats scale = group.scale();
      for (size_t r = 0; r < ROWS; r++) {
        sum[r] = fma(add(even[r], odd[r]), scale, sum[r]);
        if constexpr (F.has_min)
          sum[r] = fma(group.min(), set(task.args.prepared.sums[(row + r) * groups + g]), sum[r]);
      }
    }
    for (size_t r = 0; r < ROWS; r++) store_first(task.out(row + r), sum[r], task.width);
  }
};

/** Column k of 16 rows; ODD says whether k is. */
template <Form FORM, bool ODD>
Floats load_dense(const uint8_t* panel, size_t k) {
  if constexpr (FORM == Form::f32) return load(reinterpret_cast<const float*>(panel) + k * PANEL_ROWS);
  if constexpr (FORM == Form::f16) return load_f16(panel + k * PANEL_ROWS * 2);
  if constexpr (FORM == Form::bf16) {
    const uint8_t* const pairs = panel + k / 2 * PANEL_ROWS * 4;
    return ODD ? load_bf16_second(pairs) : load_bf16_first(pairs);
  }
}

template <Form FORM>
struct DenseTile {
  template <size_t ROWS>
  static void run(const PanelTask& task, size_t row, size_t k_begin, size_t k_end) {
    const size_t columns = task.args.weight.columns;
    const float* const x = task.args.x + row * columns;
    Floats sum[ROWS];
    for (size_t r = 0; r < ROWS; r++) sum[r] = task.partial(row + r, k_begin);
    for (size_t k = k_begin; k < k_end; k += DENSE_BLOCK) {
      const size_t block_end = DENSE_BLOCK < k_end - k ? k + DENSE_BLOCK : k_end;
      Floats even[ROWS], odd[ROWS];
      for (size_t r = 0; r < ROWS; r++) even[r] = odd[r] = set(0);
      size_t i = k;
      for (; i + 2 <= block_end; i += 2) {
        const Floats w0 = load_dense<FORM, false>(task.panel, i), w1 = load_dense<FORM, true>(task.panel, i + 1);
#pragma GCC unroll 8
        for (size_t r = 0; r < ROWS; r++) {
          even[r] = fma(w0, set(x[r * columns + i]), even[r]);
          odd[r] = fma(w1, set(x[r * columns + i + 1]), odd[r]);
        }
      }
      if (i < block_end) {
        const Floats w0 = load_dense<FORM, false>(task.panel, i);
        for (size_t r = 0; r < ROWS; r++) even[r] = fma(w0, set(x[r * columns + i]), even[r]);
      }
      for (size_t r = 0; r < ROWS; r++) sum[r] = add(sum[r], add(even[r], odd[r]));
    }
    for (size_t r = 0; r < ROWS; r++) store_first(task.out(row + r), sum[r], task.width);
  }
};

}  // namespace

void multiply_f32(const PanelTask& task, size_t row_begin, size_t row_end) {
  switch (task.args.weight.form) {
#define GEMMA_FORM(name, bits, group, scales, min, offset) \
  case Form::name:                                         \
    return multiply_panel<F32Tile<Form::name>>(task, row_begin, row_end, K_BLOCK);
    GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
    default:
      return;  // dense
  }
}

void multiply_dense(const PanelTask& task, size_t row_begin, size_t row_end) {
  switch (task.args.weight.form) {
    case Form::f32:
      return multiply_panel<DenseTile<Form::f32>>(task, row_begin, row_end, K_BLOCK);
    case Form::f16:
      return multiply_panel<DenseTile<Form::f16>>(task, row_begin, row_end, K_BLOCK);
    case Form::bf16:
      return multiply_panel<DenseTile<Form::bf16>>(task, row_begin, row_end, K_BLOCK);
    default:
      return;  // quantised
  }
}

}  // namespace gemma::GEMMA_ISA
