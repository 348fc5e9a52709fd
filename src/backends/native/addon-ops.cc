// The operations on rows of activations: norms, RoPE, cache, attention, low-rank updates.
#include <algorithm>
#include <cmath>

#include "addon.h"
#include "grain.h"

namespace gemma {
namespace {

constexpr size_t LORA_ROWS = 128;  // whose ranks stay in the cache while columns are made of them

/** rmsNorm(backend, T, D, eps, out, start, x, start, weight, start) */
napi_value rmsNorm(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size();
  const double eps = args.number();
  const size_t elements = multiply(rows, width);
  float* const out = args.f32(elements);
  const float* const x = args.f32(elements);
  const float* const weight = args.f32(width);
  if (elements == 0) return nullptr;
  backend.run(backend.kernels.rms_norm, RmsNormArgs{out, x, weight, width, eps}, rows, row_grain(width));
  return nullptr;
}

/** add(backend, T, D, out, start, a, start, b, start) */
napi_value add(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), elements = multiply(rows, width);
  float* const out = args.f32(elements);
  const float* const a = args.f32(elements);
  const float* const b = args.f32(elements);
  backend.run(backend.kernels.add, AddArgs{out, a, b}, elements, CHEAP);
  return nullptr;
}

/** geglu(backend, T, F, out, start, gate, start, up, start) */
napi_value geglu(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), elements = multiply(rows, width);
  float* const out = args.f32(elements);
  const float* const gate = args.f32(elements);
  const float* const up = args.f32(elements);
  backend.run(backend.kernels.geglu, GegluArgs{out, gate, up}, elements, COSTLY);
  return nullptr;
}

/** softCap(backend, R, V, cap, x, start) */
napi_value softCap(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), elements = multiply(rows, width);
  const float cap = static_cast<float>(args.number());
  float* const x = args.f32(elements);
  backend.run(backend.kernels.soft_cap, SoftCapArgs{x, cap}, elements, COSTLY);
  return nullptr;
}

/** gatherRows(backend, R, T, D, out, start, x, start, rows, start) */
napi_value gatherRows(Args& args) {
  Backend& backend = args.backend();
  const size_t count = args.size(), rows = args.size(), width = args.size();
  float* const out = args.f32(multiply(count, width));
  const float* const x = args.f32(multiply(rows, width));
  const int32_t* const indices = args.i32(count);
  if (width == 0) return nullptr;
  backend.run(backend.kernels.gather_rows, GatherRowsArgs{out, x, indices, rows, width}, count, row_grain(width));
  return nullptr;
}

/** rope(backend, undo, T, heads * H, H, theta, scalingFactor, x, start, positions, start) */
napi_value rope(Args& args) {
  Backend& backend = args.backend();
  const float direction = args.boolean() ? -1.0f : 1.0f;
  const size_t rows = args.size(), width = args.size(), head_dim = args.size();
  const double theta = args.number(), scaling_factor = args.number();
  float* const x = args.f32(multiply(rows, width));
  const int32_t* const positions = args.i32(rows);
  if (head_dim == 0 || head_dim % 2 != 0 || width % head_dim != 0) {
    throw Error{"ERR_SHAPE", "native: rope's rows must be whole heads of an even width, got " + std::to_string(width) +
                                 " in heads of " + std::to_string(head_dim)};
  }
  if (rows == 0 || width == 0) return nullptr;
  const RopeTable& table = backend.ops.rope.get(backend.pool, theta, scaling_factor, head_dim, positions, rows);
  const RopeArgs rope = {x, table.cosines.data(), table.sines.data(), width, head_dim, direction};
  backend.run(backend.kernels.rope, rope, rows, row_grain(width));
  return nullptr;
}

/** cache, layer */
const KvLayer& read_layer(Args& args) {
  const KvCache& cache = args.cache();
  const size_t layer = args.size();
  if (layer >= cache.layers.size()) {
    throw Error{"ERR_RANGE", "native: layer must be below " + std::to_string(cache.layers.size()) + ", got " +
                                 std::to_string(layer)};
  }
  return cache.layers[layer];
}

/** S, P, positions, start, sequences, start, table, start */
PlanView read_plan(Args& args, size_t rows) {
  PlanView plan = {};
  plan.sequence_count = args.size();
  plan.table_width = args.size();
  plan.positions = args.i32(rows);
  plan.sequences = args.i32(rows);
  plan.table = args.i32(multiply(plan.sequence_count, plan.table_width));
  return plan;
}

/** writeKv(backend, T, cache, layer, S, P, positions, start, sequences, start, table, start, k, start, v, start) */
napi_value writeKv(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size();
  const KvLayer& kv = read_layer(args);
  const PlanView plan = read_plan(args, rows);
  const size_t elements = multiply(rows, multiply(kv.kv_heads, kv.head_dim));
  const float* const k = args.f32(elements);
  const float* const v = args.f32(elements);
  backend.run(backend.kernels.write_kv, WriteKvArgs{kv, k, v, plan}, rows, PAGE_ROWS);
  return nullptr;
}

/** Cuts a step into blocks of at most `most` pairs. */
void cut_blocks(std::vector<AttentionBlock>& blocks, const int32_t* sequences, size_t rows, size_t kv_heads,
                size_t heads, size_t most) {
  blocks.clear();
  for (size_t row = 0; row < rows;) {
    size_t count = 1;
    while (row + count < rows && sequences[row + count] == sequences[row]) count++;
    for (size_t first = 0; first < count * heads; first += most) {
      for (size_t kv_head = 0; kv_head < kv_heads; kv_head++) {
        blocks.push_back(
            {row, kv_head * heads, heads, first, std::min(most, count * heads - first), {0, INT64_MAX}});
      }
    }
    row += count;
  }
}

/** Cuts blocks into segments of their keys. Returns whether any has more than one. */
bool cut_segments(OpState& state, const PlanView& plan, int64_t window) {
  state.attention_segments.clear();
  state.attention_merges.clear();
  for (AttentionBlock block : state.attention_blocks) {
    KeyRange seen = {INT64_MAX, 0};
    for (size_t row = block.row + block.first / block.heads;
         row <= block.row + (block.first + block.pairs - 1) / block.heads; row++) {
      const KeyRange keys = seen_keys(plan, row, window);
      seen = {std::min(seen.low, keys.low), std::max(seen.high, keys.high)};
    }
    const AttentionMerge merge = {state.attention_segments.size(), 0};
    int64_t low = seen.low / ATTENTION_SEGMENT * ATTENTION_SEGMENT;
    do {
      block.keys = {low, low + ATTENTION_SEGMENT};
      state.attention_segments.push_back(block);
      low += ATTENTION_SEGMENT;
    } while (low < seen.high);
    state.attention_merges.push_back({merge.first, state.attention_segments.size() - merge.first});
  }
  return state.attention_segments.size() > state.attention_blocks.size();
}

/**
 * attention(backend, T, N * H, cache, layer, S, P, positions, start, sequences, start, table, start, scale,
 *           softCap or 0, window or 0, out, start, q, start)
 */
napi_value attention(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size();
  const KvLayer& kv = read_layer(args);
  const PlanView plan = read_plan(args, rows);
  const float scale = static_cast<float>(args.number());
  const float cap = static_cast<float>(args.number());
  const double window = args.number();
  const size_t elements = multiply(rows, width);
  float* const out = args.f32(elements);
  const float* const q = args.f32(elements);
  if (kv.head_dim > MAX_HEAD_DIM) {
    throw Error{"ERR_RANGE", "native: head width must be at most " + std::to_string(MAX_HEAD_DIM) + ", got " +
                                 std::to_string(kv.head_dim)};
  }
  const size_t group_width = multiply(kv.kv_heads, kv.head_dim);
  if (width % group_width != 0) {
    throw Error{"ERR_SHAPE", "native: attention's rows must be a multiple of K*H " + std::to_string(group_width) +
                                 " wide, got " + std::to_string(width)};
  }
  if (elements == 0) return nullptr;

  const size_t group = width / group_width;  // N / K
  // i - j < window for whole i and j; beyond 2^31 it is as good as none.
  const int64_t keys = window > 0 && window < INT32_MAX ? static_cast<int64_t>(std::ceil(window)) : INT64_MAX;
  OpState& state = backend.ops;
  std::vector<AttentionBlock>& blocks = state.attention_blocks;
  cut_blocks(blocks, plan.sequences, rows, kv.kv_heads, group, attention_block(kv.form));
  AttentionArgs attention = {};
  attention.out = out;
  attention.q = q;
  attention.kv = kv;
  attention.plan = plan;
  attention.query_heads = group * kv.kv_heads;
  attention.scale = scale;
  attention.soft_cap = cap > 0 ? cap : 0;
  attention.window = keys;

  // Few rows with many keys, as in decoding one sequence: the threads share the keys.
  const size_t threads = backend.pool.threads();
  if (threads > 1 && blocks.size() < 2 * threads && cut_segments(state, plan, keys)) {
    const size_t segments = state.attention_segments.size();
    attention.blocks = state.attention_segments.data();
    attention.merges = state.attention_merges.data();
    attention.states = state.attention_states.get<AttentionState>(segments * ATTENTION_BLOCK);
    attention.parts = state.attention_parts.get<float>(multiply(segments * ATTENTION_BLOCK, kv.head_dim));
    backend.run(backend.kernels.attention, attention, segments, 1);
    backend.run(backend.kernels.merge_attention, attention, state.attention_merges.size(), 1);
    return nullptr;
  }
  // The blocks with the longest way to go come first, so that the threads end together.
  std::reverse(blocks.begin(), blocks.end());
  attention.blocks = blocks.data();
  backend.run(backend.kernels.attention, attention, blocks.size(), 1);
  return nullptr;
}

/** loraDelta(backend, T, K, N, r, scale, out, start, x, start, a, start, b, start) */
napi_value loraDelta(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), out_width = args.size(), rank = args.size();
  const float scale = static_cast<float>(args.number());
  float* const out = args.f32(multiply(rows, out_width));
  const float* const x = args.f32(multiply(rows, width));
  const float* const a = args.f32(multiply(rank, width));
  const float* const b = args.f32(multiply(out_width, rank));
  if (rows == 0 || out_width == 0) return nullptr;
  float* const rank_rows = backend.ops.lora_ranks.get<float>(multiply(rows, rank));
  const LoraDownArgs down = {rank_rows, x, a, rank, width};
  backend.run(backend.kernels.lora_down, down, rows, row_grain(multiply(width, rank) / 4));
  const LoraUpArgs up = {out, rank_rows, b, rows, rank, out_width, scale, LORA_ROWS};
  // A chunk transposes its part of B once for all rows.
  const size_t grain = std::max<size_t>(1, COSTLY / (LORA_COLUMNS * std::max<size_t>(1, rank)));
  backend.run(backend.kernels.lora_up, up, up.items(), rows > 4 ? 1 : grain);
  return nullptr;
}

}  // namespace

std::vector<Method> op_methods() {
  return {
      GEMMA_METHOD(rmsNorm), GEMMA_METHOD(add),     GEMMA_METHOD(geglu),     GEMMA_METHOD(softCap),   GEMMA_METHOD(gatherRows),
      GEMMA_METHOD(rope),    GEMMA_METHOD(writeKv), GEMMA_METHOD(attention), GEMMA_METHOD(loraDelta),
  };
}

}  // namespace gemma
