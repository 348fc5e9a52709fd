// Arguments of the kernels around packed weights. Shapes: T rows, N = outputs, K = inputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "form.h"
#include "stored.h"

#define GEMMA_MATMUL_KERNELS(X) \
  X(pack, PackArgs)             \
  X(embed, EmbedArgs)           \
  X(prepare_x, PrepareArgs)     \
  X(matmul, MatmulArgs)         \
  X(gated_matmul, GatedArgs)

namespace gemma {

/** What kernels see of a packed weight [N, K]. */
struct WeightView {
  const uint8_t* panels;
  size_t rows;         // N
  size_t columns;      // K
  size_t panel_bytes;  // distance of two panels
  Form form;
  // Of a q8 matrix in two planes (kernels/split.h) the lower panels, `panels` being the upper ones; else nullptr.
  const uint8_t* low = nullptr;
};

constexpr size_t Q8_GROUP = quant_form(Form::q8).group;
constexpr size_t MAX_SPLIT_COLUMNS = 8192;  // a panel that is put together again lies on the stack

constexpr size_t upper_panel_bytes(size_t k) {
  return k / Q8_GROUP * (Q8_GROUP / 2 + 2) * PANEL_ROWS + PANEL_ROWS * sizeof(float);
}
constexpr size_t lower_panel_bytes(size_t k) { return k / 2 * PANEL_ROWS; }

/** Item: a panel of 16 rows of the slice. */
struct PackArgs {
  const uint8_t* source;  // `rows` rows as stored
  size_t rows;
  size_t columns;    // K
  size_t row_bytes;  // distance of two rows
  StoredDtype dtype;
  uint8_t* panels;     // of the slice
  size_t panel_bytes;  // distance of two panels
  uint8_t* low;        // of a matrix in two planes, its lower panels; else nullptr
};

/** Item: a row. */
struct EmbedArgs {
  float* out;  // [T, D]
  WeightView table;
  const int32_t* ids;  // [T]
  float scale;
};

/** 32 activations as integers: x ≈ quant · scale. What the weight's groups need of their sums lies beside them. */
struct XBlock {
  int8_t quants[X_BLOCK];
  float scale;
  // One value per weight group in these k. A form has an offset or minimums, never both.
  union {
    int32_t starts[X_BLOCK / 16];  // -offset · sum of the quants: where the integer sum starts
    float sums[X_BLOCK / 16];      // sum of the quants: a minimum's factor
  };
};

/** Distance of two rows of bf16 pairs: an odd number of cache lines, so that a tile's rows do not evict each other. */
constexpr size_t x_pairs(size_t columns) { return ((bf16_pairs(columns) + 15) / 16 | 1) * 16; }

/** Activations as the matmul of one form wants them. */
struct PreparedX {
  XBlock* blocks;  // [T, K / X_BLOCK], with integers
  float* sums;     // [T, K / G], sum of the group's x: with f32 and a form with minimums
  uint32_t* pairs; // [T, x_pairs(K)], x rounded to bf16: for the bf16 dot units
};

/** Item: a row. */
struct PrepareArgs {
  const float* x;  // [T, K]
  size_t columns;
  Form form;  // quantised, or bf16 with pairs
  bool is_int8;
  PreparedX out;
};

constexpr size_t ROW_BLOCK = 128;  // rows of x whose part of the cache outlives a panel

/** Item i: panel i % panels, for the rows of block i / panels. */
struct MatmulArgs {
  float* out;  // [T, N]
  WeightView weight;
  size_t rows;       // T
  size_t row_block;  // rows that share one pass over a panel, at most ROW_BLOCK
  size_t panels;     // of the weight
  const float* x;    // [T, K]
  PreparedX prepared;
  bool is_int8;

  size_t items() const { return panels * ((rows + row_block - 1) / row_block); }
};

/** The part of the output that an item computes. */
struct MatmulItem {
  size_t panel;
  size_t column, width;  // 16 columns, fewer in the last panel
  size_t row_begin, row_end;

  MatmulItem(const MatmulArgs& args, size_t item) : panel(item % args.panels), column(panel * PANEL_ROWS) {
    const size_t left = args.weight.rows - column;
    width = left < PANEL_ROWS ? left : PANEL_ROWS;
    row_begin = item / args.panels * args.row_block;
    row_end = args.row_block < args.rows - row_begin ? row_begin + args.row_block : args.rows;
  }
};

/** out = gelu(gate) · up. Items are gate's, which has `out`; both weights have the same shape. */
struct GatedArgs {
  MatmulArgs gate;
  MatmulArgs up;
};

}  // namespace gemma
