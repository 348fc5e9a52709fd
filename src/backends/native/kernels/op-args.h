// Arguments of the kernels other than matmul: plain pointers and sizes, validated before.
// T rows of the step, D, F, K, N widths, H head width, V vocabulary, R rows with logits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kv.h"

#define GEMMA_OP_KERNELS(X)           \
  X(rms_norm, RmsNormArgs)            \
  X(add, AddArgs)                     \
  X(geglu, GegluArgs)                 \
  X(soft_cap, SoftCapArgs)            \
  X(gather_rows, GatherRowsArgs)      \
  X(rope, RopeArgs)                   \
  X(write_kv, WriteKvArgs)            \
  X(attention, AttentionArgs)         \
  X(merge_attention, AttentionArgs)   \
  X(lora_down, LoraDownArgs)          \
  X(lora_up, LoraUpArgs)              \
  X(block_maxima, LogitBlocksArgs)    \
  X(block_exp_sums, LogitBlocksArgs)

namespace gemma {

/** Item: a row. */
struct RmsNormArgs {
  float* out;           // [T, D]
  const float* x;       // [T, D], may be out
  const float* weight;  // [D], offset from 1
  size_t width;
  double eps;
};

/** Item: an element. */
struct AddArgs {
  float* out;
  const float* a;
  const float* b;
};

/** Item: an element. */
struct GegluArgs {
  float* out;
  const float* gate;
  const float* up;
};

/** Item: an element. */
struct SoftCapArgs {
  float* x;
  float cap;
};

/** Item: a row of out. */
struct GatherRowsArgs {
  float* out;              // [R, D]
  const float* x;          // [T, D]
  const int32_t* indices;  // [R]; outside 0..T-1: a zero row
  size_t rows;             // T
  size_t width;
};

/** Item: a row. */
struct RopeArgs {
  float* x;               // [T, heads · H], in place
  const float* cosines;   // [T, H / 2]
  const float* sines;     // [T, H / 2]
  size_t width;           // heads · H
  size_t head_dim;
  float direction;        // 1, or -1: the rotation is undone
};

constexpr size_t NO_PAGE = SIZE_MAX;

/** What a kernel sees of a StepPlan for one layer group. Nothing in it is trusted. */
struct PlanView {
  const int32_t* positions;  // [T]
  const int32_t* sequences;  // [T]
  const int32_t* table;      // [S, P]
  size_t sequence_count;     // S
  size_t table_width;        // P

  /** The page of positions [16 · index, 16 · index + 16) of row t's sequence, or NO_PAGE. */
  size_t page(size_t t, size_t index, size_t page_count) const {
    const int32_t sequence = sequences[t];
    if (sequence < 0 || static_cast<size_t>(sequence) >= sequence_count || index >= table_width) return NO_PAGE;
    const int32_t page = table[sequence * table_width + index];
    return page >= 0 && static_cast<size_t>(page) < page_count ? static_cast<size_t>(page) : NO_PAGE;
  }
};

/** Item: a row. */
struct WriteKvArgs {
  KvLayer kv;
  const float* k;  // [T, K · H]
  const float* v;  // [T, K · H]
  PlanView plan;
};

/** Keys [low, high) of a sequence. */
struct KeyRange {
  int64_t low;
  int64_t high;
};

/** The keys that row t sees, as far as the table reaches. Empty: low >= high. */
inline KeyRange seen_keys(const PlanView& plan, size_t t, int64_t window) {
  const int64_t position = plan.positions[t], end = static_cast<int64_t>(plan.table_width * PAGE_ROWS);
  const int64_t low = window > position ? 0 : position + 1 - window, high = position + 1;
  return {low < 0 ? 0 : low, high < end ? high : end};
}

constexpr size_t ATTENTION_BLOCK = 12;
/** Pairs that blocks have: whole tiles of the widest instruction set. */
constexpr size_t attention_block(KvForm form) { return form == KvForm::bf16_pairs ? ATTENTION_BLOCK : 8; }
constexpr int64_t ATTENTION_SEGMENT = 256;  // keys that are summed up apart
constexpr size_t MAX_HEAD_DIM = 512;

/**
 * At most ATTENTION_BLOCK (row, head) pairs: of adjacent rows of one sequence, from `row` on, times `heads` query heads
 * of one key/value head, from `head` on, those from pair `first` on.
 */
struct AttentionBlock {
  size_t row;
  size_t head;
  size_t heads;
  size_t first;
  size_t pairs;
  KeyRange keys;  // those that count: all, or a segment
};

/** What a row has summed up: weights are exp(score - largest). Zero: no key was seen. */
struct AttentionState {
  float largest;
  float sum;
};

/** Blocks [first, first + count): the segments of the same pairs, ascending. */
struct AttentionMerge {
  size_t first;
  size_t count;
};

/** Item of attention: a block. Item of merge_attention, where blocks are segments: an AttentionMerge. */
struct AttentionArgs {
  float* out;      // [T, N · H]
  const float* q;  // [T, N · H]
  KvLayer kv;
  PlanView plan;
  const AttentionBlock* blocks;
  size_t query_heads;  // N, a multiple of K
  float scale;
  float soft_cap;  // 0: none
  int64_t window;  // INT64_MAX: none
  const AttentionMerge* merges;
  float* parts;            // [blocks, ATTENTION_BLOCK, H]; nullptr: blocks have all their keys and write to out
  AttentionState* states;  // [blocks, ATTENTION_BLOCK]

  float* part(size_t block, size_t pair) const { return parts + (block * ATTENTION_BLOCK + pair) * kv.head_dim; }
};

/** rank_rows = x · Aᵀ. Item: a row. */
struct LoraDownArgs {
  float* rank_rows;  // [T, r]
  const float* x;    // [T, K]
  const float* a;    // [r, K]
  size_t rank;
  size_t width;  // K
};

constexpr size_t LORA_COLUMNS = 64;

/** out += scale · rank_rows · Bᵀ. Item: LORA_COLUMNS columns of a block of rows, those of the same rows side by side. */
struct LoraUpArgs {
  float* out;              // [T, N]
  const float* rank_rows;  // [T, r]
  const float* b;          // [N, r]
  size_t rows;             // T
  size_t rank;
  size_t width;  // N
  float scale;
  size_t row_block;

  size_t column_blocks() const { return (width + LORA_COLUMNS - 1) / LORA_COLUMNS; }
  size_t items() const { return column_blocks() * ((rows + row_block - 1) / row_block); }
};

constexpr size_t LOGIT_BLOCK = 256;

/** How a row's exponentials are taken: of (logit - max) · inverse_temperature. */
struct LogitRow {
  size_t row;
  const uint32_t* mask;  // bit set: allowed; nullptr: all are
  float max;             // largest logit; not used by block_maxima
  float inverse_temperature;
};

/** Logits in blocks of LOGIT_BLOCK. Item: a block of a row, index = row's place in `rows` · blocks + block. */
struct LogitBlocksArgs {
  const float* logits;  // [R, V]
  const LogitRow* rows;
  size_t width;   // V
  size_t blocks;  // ceil(V / LOGIT_BLOCK)
  // [rows, blocks]: largest allowed logit, -infinity for none. NaN is not seen. For block_exp_sums: what logits are
  // relative to, or nullptr: the row's.
  float* maxima;
  double* sums;   // [rows, blocks]: sum of exponentials of the allowed logits; NaN counts as 0.
};

}  // namespace gemma
