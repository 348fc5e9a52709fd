// Arguments of the kernels that training adds: gradients, and updates of parameters. Shapes: T rows, N = outputs, K = inputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul-args.h"

#define GEMMA_BACKWARD_KERNELS(X)              \
  X(matmul_backward, MatmulBackwardArgs)       \
  X(rms_norm_backward, RmsNormBackwardArgs)    \
  X(row_factors, RowFactorsArgs)               \
  X(norm_weight_backward, NormWeightArgs)      \
  X(geglu_backward, GegluBackwardArgs)         \
  X(sum_outer, SumOuterArgs)                   \
  X(lora_backward, LoraBackwardArgs)           \
  X(lora_sum_parts, LoraBackwardArgs)          \
  X(attention_backward, AttentionBackwardArgs) \
  X(sum_heads, AttentionBackwardArgs)          \
  X(scatter_add, ScatterAddArgs)               \
  X(adam_w, AdamWArgs)                         \
  X(sum_squares, SumSquaresArgs)               \
  X(scale, ScaleArgs)                          \
  X(dropout, DropoutArgs)                      \
  X(pack_weight, PackWeightArgs)

namespace gemma {

constexpr size_t BACKWARD_COLUMNS = 64;      // of dx, in an item
constexpr size_t BACKWARD_ROW_BLOCK = 1024;  // of dx at most: its rows share what is unpacked of the weight

/** dx = dOut · weight. Item i: columns block i % column_blocks, for the rows of block i / column_blocks. */
struct MatmulBackwardArgs {
  float* dx;              // [T, K]
  WeightView weight;      // [N, K]
  size_t rows;            // T
  const float* d_out;     // [T, N]
  const uint32_t* pairs;  // [T, x_pairs(N)], dOut rounded to bf16; nullptr: it is used as it is
  bool accumulate;
  size_t row_block;

  size_t column_blocks() const { return (weight.columns + BACKWARD_COLUMNS - 1) / BACKWARD_COLUMNS; }
  size_t items() const { return column_blocks() * ((rows + row_block - 1) / row_block); }
};

/** Item: a row. */
struct RmsNormBackwardArgs {
  float* dx;            // [T, D]
  const float* d_out;   // [T, D], may be dx
  const float* x;       // [T, D]
  const float* weight;  // [D], offset from 1
  size_t width;
  double eps;
  bool accumulate;
};

/** 1 / sqrt(mean(x²) + eps). Item: a row. */
struct RowFactorsArgs {
  float* factors;  // [T]
  const float* x;  // [T, D]
  size_t width;
  double eps;
};

constexpr size_t SUM_COLUMNS = 64;  // that one item sums up over all rows

/** d_weight += sum over the rows of dOut · x · factor. Item: SUM_COLUMNS columns. */
struct NormWeightArgs {
  float* d_weight;  // [D]
  const float* d_out;
  const float* x;
  const float* factors;
  size_t rows;
  size_t width;
};

constexpr size_t OUTER_ROWS = 48;

/**
 * out[i][c] += sum_t left[t][i] · right[t][c], t ascending. Item: OUTER_ROWS rows by SUM_COLUMNS columns, the blocks of columns
 * running fastest.
 */
struct SumOuterArgs {
  float* out;          // [I, C]
  const float* left;   // [T, I]
  const float* right;  // [T, C]
  size_t rows;         // I
  size_t columns;      // C
  size_t terms;        // T

  size_t column_blocks() const { return (columns + SUM_COLUMNS - 1) / SUM_COLUMNS; }
  size_t items() const { return column_blocks() * ((rows + OUTER_ROWS - 1) / OUTER_ROWS); }
};

/**
 * Gradients of out += scale · B (A x). Rows are summed up in parts, as many whatever the threads. Item of lora_backward: a part;
 * of lora_sum_parts: a rank.
 */
struct LoraBackwardArgs {
  float* da;              // [r, K], added to
  float* db;              // [N, r], added to
  float* dx;              // [T, K], added to with `accumulate`; nullptr: not wanted
  const float* d_out;     // [T, N]
  const float* x;         // [T, K]
  const float* a;         // [r, K]
  const float* a_turned;  // [K, r]
  const float* b;         // [N, r]
  float* inner;           // [T, r]: A x
  float* outer;           // [T, r]: scale · Bᵀ dOut
  float* da_parts;        // [parts, r, K]
  float* db_parts;        // [parts, r, N]
  size_t rows;            // T
  size_t width;           // K
  size_t outputs;         // N
  size_t rank;            // r
  size_t part_rows;
  float scale;
  bool accumulate;

  size_t parts() const { return (rows + part_rows - 1) / part_rows; }
};

/** Item: an element. */
struct GegluBackwardArgs {
  float* d_gate;       // may be d_out
  float* d_up;         // may be d_out
  const float* d_out;
  const float* gate;
  const float* up;
};

/** out[indices[r]] += scale · rows[r], in order. Item: SUM_COLUMNS columns. */
struct ScatterAddArgs {
  float* out;              // [count, D]
  const float* rows;       // [R, D]
  const int32_t* indices;  // [R]; outside 0..count-1: adds nothing
  size_t row_count;        // R
  size_t count;
  size_t width;
  double scale;
};

/** Item: an element. */
struct AdamWArgs {
  float* parameter;
  float* m;
  float* v;
  const float* gradient;
  float grad_scale;
  float beta1, beta2;
  float decay;       // factor on the parameter: 1 - learning rate · weight decay
  float step_size;   // learning rate / (1 - beta1^step)
  float correction;  // 1 / sqrt(1 - beta2^step)
  float eps;
};

constexpr size_t SQUARES_BLOCK = size_t{1} << 14;

/** Item: a block of SQUARES_BLOCK elements. */
struct SumSquaresArgs {
  double* sums;  // of each block
  const float* x;
  size_t elements;
};

/** Item: an element. */
struct ScaleArgs {
  float* out;
  const float* x;
  float factor;
};

constexpr size_t QUERY_BLOCK = 64;

/** Rows of one sequence, of queries and of keys. */
struct AttentionSpan {
  size_t query_begin, query_end;
  size_t key_begin, key_end;
  size_t scratch;  // where its part of the scratch begins

  size_t keys() const { return key_end - key_begin; }
};

/** Where the memory that a head works in begins, in floats, or in pairs of bf16. */
struct AttentionScratch {
  size_t floats = 0;               // of all
  size_t queries, d_outs;          // [H, QUERY_BLOCK], or [pairs of h, QUERY_BLOCK]
  size_t scores, weights, slopes;  // [keys, QUERY_BLOCK]
  // With pairs alone.
  size_t query_rows = 0, d_out_rows = 0;     // [QUERY_BLOCK / 2, H]
  size_t keys = 0, values = 0;               // [keys, pairs of h]
  size_t key_rows = 0;                       // [pairs of keys, H]
  size_t weight_pairs = 0, slope_pairs = 0;  // [keys, QUERY_BLOCK / 2]
  size_t slope_rows = 0;                     // [pairs of keys, QUERY_BLOCK]

  AttentionScratch(size_t head_dim, size_t key_count, bool of_pairs) {
    const size_t rows = of_pairs ? pairs(head_dim) : head_dim;
    queries = take(rows * QUERY_BLOCK);
    d_outs = take(rows * QUERY_BLOCK);
    scores = take(key_count * QUERY_BLOCK);
    weights = take(key_count * QUERY_BLOCK);
    slopes = take(key_count * QUERY_BLOCK);
    if (!of_pairs) return;
    query_rows = take(QUERY_BLOCK / 2 * padded(head_dim));
    d_out_rows = take(QUERY_BLOCK / 2 * padded(head_dim));
    keys = take(key_count * pairs(head_dim));
    values = take(key_count * pairs(head_dim));
    key_rows = take((key_count + 1) / 2 * padded(head_dim));
    weight_pairs = take(key_count * QUERY_BLOCK / 2);
    slope_pairs = take(key_count * QUERY_BLOCK / 2);
    slope_rows = take((key_count / 2 + 1) * QUERY_BLOCK);
  }

  static size_t padded(size_t count) { return (count + 15) / 16 * 16; }
  /** Of a head, in whole vectors. */
  static size_t pairs(size_t head_dim) { return padded((head_dim + 1) / 2); }

 private:
  size_t take(size_t count) {
    const size_t at = floats;
    floats += padded(count);
    return at;
  }
};

/** Item: a head of a sequence: head i % query_heads of span i / query_heads. */
struct AttentionBackwardArgs {
  float* dq;  // [R, heads · H], added to
  float* dk;  // [T, kv_heads · H]
  float* dv;
  float* dk_parts;  // [heads, T, H]
  float* dv_parts;
  const float* d_out;  // [R, heads · H]
  const float* q;
  const float* k;  // [T, kv_heads · H]
  const float* v;
  const int32_t* query_positions;  // [R]
  const int32_t* key_positions;    // [T]
  const AttentionSpan* spans;
  float* scratch;
  size_t key_rows;  // T
  size_t query_heads, kv_heads, head_dim;
  float scale;
  float soft_cap;   // 0: none
  size_t window;    // 0: none
  bool is_rounded;  // factors of products to bf16
};

/** out = x without the elements whose draw is below the rate, the others larger. Item: an element. */
struct DropoutArgs {
  float* out;
  const float* x;
  uint64_t mixed_seed;
  uint64_t first;  // index of the first element's draw
  double rate;
  float factor;
};

/** Item: a panel. */
struct PackWeightArgs {
  uint8_t* panels;
  size_t panel_bytes;
  const float* values;  // [N, K]
  size_t rows, columns;
  Form form;  // dense
};

}  // namespace gemma
