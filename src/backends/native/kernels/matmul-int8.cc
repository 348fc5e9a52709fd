// Quantised weights times quantised activations: integer sums per group, exact in any order, then in ascending order of
// k one f32 operation per group (a block's first multiplies, its second multiplies and adds), one per minimum and one
// per block of x.
#include "kernels/groups.h"
#include "kernels/matmul-tiles.h"
#include "kernels/split.h"
#if defined(__ARM_FEATURE_MATMUL_INT8)
#include "kernels/matmul-i8mm.h"
#endif

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t K_BLOCK = 2048;  // of a panel, unpacked on the stack: 32 KB of quants, 64 KB with scales at most
constexpr size_t DIRECT_TILES = MAX_TILE < 8 ? 1 : 3;  // up to here unpacking anew for each costs less than storing it

// All that a tile calls becomes part of it: left to itself the compiler calls a function for each group of some sizes.
#define GEMMA_KERNEL __attribute__((flatten, noinline))

/** Lets memory send some bytes in equal steps: all at once they would hold up the loads behind them. */
struct Stream {
  const uint8_t* data;
  size_t step;

  Stream(const uint8_t* begin, size_t bytes, size_t steps) : data(begin), step(bytes / steps + 1) {}
  void advance() {
    for (size_t i = 0; i < step; i += 64) __builtin_prefetch(data + i, 0, 2);
    data += step;
  }
};

/** A panel as it lies in memory. */
template <Form FORM>
struct PackedPanel {
  const uint8_t* data;

  Group<FORM> group(size_t g) const { return Group<FORM>(data, g); }

  /** The next panel, or the next `columns` of this one behind `k`. */
  struct Ahead {
    Stream all;
    void advance() { all.advance(); }
  };
  Ahead ahead(size_t k, size_t columns, size_t steps) const {
    return {{data + panel_bytes(FORM, k), panel_bytes(FORM, columns), steps}};
  }
};

/** A panel in two planes. */
struct SplitPanel {
  const uint8_t* upper;
  const uint8_t* lower;

  SplitGroup group(size_t g) const { return {upper + g * UPPER_GROUP, lower + g * NIBBLE_BYTES}; }

  struct Ahead {
    Stream high, low;
    void advance() {
      high.advance();
      low.advance();
    }
  };
  Ahead ahead(size_t k, size_t columns, size_t steps) const {
    return {{upper + k / Q8_GROUP * UPPER_GROUP, upper_panel_bytes(columns), steps},
            {lower + lower_panel_bytes(k), lower_panel_bytes(columns), steps}};
  }
};

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
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++) sum[r] = task.partial(row + r, k_begin);
  for (size_t b = k_begin / X_BLOCK; b < k_end / X_BLOCK; b++, x++) {
    Floats in_block[ROWS];
#pragma GCC unroll 2
    for (size_t part = 0; part < PARTS; part++) {
      group(b * PARTS + part, [&](const Bytes* quants, Floats scale, Floats min) {
        multiply_group<FORM>(in_block, quants, scale, min, x, stride, part);
      });
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) sum[r] = fma(in_block[r], set(x[r * stride].scale), sum[r]);
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < ROWS; r++) store_first(task.out(row + r), sum[r], task.width);
}

/** A tile of rows times all of k; groups are unpacked into registers. */
template <Form FORM, size_t ROWS, class Panel>
GEMMA_KERNEL void multiply_packed(const PanelTask& task, const Panel& panel, size_t row, typename Panel::Ahead& ahead) {
  using G = Group<FORM>;
  const size_t columns = task.args.weight.columns;
  multiply_tile<FORM, ROWS>(task, row, 0, columns, [&](size_t g, const auto& run) {
    ahead.advance();
    const auto group = panel.group(g);
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

  template <class Panel>
  void fill(const Panel& panel, size_t begin, size_t end) {
    for (size_t g = begin; g < end; g++) {
      const auto group = panel.group(g);
      group.unpack(quants[g - begin]);
      scales[g - begin] = group.scale();
      if constexpr (G::F.has_min) mins[g - begin] = group.min();
    }
  }
};

/** A tile of rows times k_begin .. k_end, which `block` holds. */
template <Form FORM, size_t ROWS, class Ahead>
GEMMA_KERNEL void multiply_unpacked(const PanelTask& task, const Unpacked<FORM>& block, size_t row, size_t k_begin,
                                    size_t k_end, Ahead& ahead) {
  constexpr QuantForm F = quant_form(FORM);
  multiply_tile<FORM, ROWS>(task, row, k_begin, k_end, [&](size_t g, const auto& run) {
    ahead.advance();
    const size_t i = g - k_begin / F.group;
    run(block.quants[i], block.scales[i], block.mins[F.has_min ? i : 0]);
  });
}
#endif

template <Form FORM, class Panel>
void multiply(const PanelTask& task, const Panel& panel, size_t row_begin, size_t row_end) {
  const size_t columns = task.args.weight.columns, group = Group<FORM>::F.group;
  const size_t tiles = (row_end - row_begin + MAX_TILE - 1) / MAX_TILE;
  if (tiles <= DIRECT_TILES) {
    auto ahead = panel.ahead(columns, columns, tiles * columns / group);
    for_even_tiles<MAX_TILE>(row_begin, row_end,
                            [&](auto rows, size_t row) { multiply_packed<FORM, rows()>(task, panel, row, ahead); });
    return;
  }
  Unpacked<FORM> block;
  for (size_t k = 0; k < columns; k += K_BLOCK) {
    const size_t k_end = K_BLOCK < columns - k ? k + K_BLOCK : columns;
    block.fill(panel, k / group, k_end / group);
    // While tiles meet this part of the panel, the next one comes out of memory.
    auto ahead = panel.ahead(k_end, k_end - k, tiles * (k_end - k) / group);
    for_even_tiles<MAX_TILE>(row_begin, row_end, [&](auto rows, size_t row) {
      multiply_unpacked<FORM, rows()>(task, block, row, k, k_end, ahead);
    });
  }
}

}  // namespace

void multiply_split(const PanelTask& task, size_t index, size_t row_begin, size_t row_end) {
  const uint8_t* const lower = task.args.weight.low + index * lower_panel_bytes(task.args.weight.columns);
  multiply<Form::q8>(task, SplitPanel{task.panel, lower}, row_begin, row_end);
}

void multiply_int8(const PanelTask& task, size_t row_begin, size_t row_end) {
  switch (task.args.weight.form) {
#define GEMMA_FORM(name, bits, group, scales, min, offset) \
  case Form::name:                                         \
    return multiply<Form::name>(task, PackedPanel<Form::name>{task.panel}, row_begin, row_end);
    GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
    default:
      return;  // dense
  }
}

}  // namespace gemma::GEMMA_ISA
