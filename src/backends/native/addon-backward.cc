// Gradients: what training needs beside the forward operations.
#include <algorithm>

#include "addon.h"
#include "grain.h"

namespace gemma {
namespace {

constexpr size_t LORA_PART_ROWS = 128, MOST_LORA_PARTS = 32;

size_t column_items(size_t width) { return (width + SUM_COLUMNS - 1) / SUM_COLUMNS; }

/** dOut rounded to bf16 for the dot units; nullptr where it is used as it is. */
const uint32_t* round_to_pairs(Backend& backend, const float* d_out, size_t rows, size_t width) {
  if (!backend.is_int8 || !backend.kernels.has_bf16_dots) return nullptr;
  PreparedX out = {};
  out.pairs = backend.x_scratch[0].pairs.get<uint32_t>(multiply(rows, x_pairs(width)));
  backend.run(backend.kernels.prepare_x, PrepareArgs{d_out, width, Form::bf16, true, out}, rows, 16);
  return out.pairs;
}

/** matmulBackward(backend, T, accumulate, weight, dx, start, dOut, start) */
napi_value matmulBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size();
  const bool accumulate = args.boolean();
  const WeightView& weight = args.weight().view;
  float* const dx = args.f32(multiply(rows, weight.columns));
  const float* const d_out = args.f32(multiply(rows, weight.rows));
  if (rows == 0) return nullptr;
  const uint32_t* const pairs = round_to_pairs(backend, d_out, rows, weight.rows);
  const size_t blocks = (rows + BACKWARD_ROW_BLOCK - 1) / BACKWARD_ROW_BLOCK;
  const MatmulBackwardArgs backward = {dx, weight, rows, d_out, pairs, accumulate, (rows + blocks - 1) / blocks};
  backend.run(backend.kernels.matmul_backward, backward, backward.items(), 1);
  return nullptr;
}

/** rmsNormBackward(backend, T, D, eps, accumulate, hasWeight, dx, start, dWeight, start, dOut, start, x, start, weight, start) */
napi_value rmsNormBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size();
  const double eps = args.number();
  const bool accumulate = args.boolean(), trains_weight = args.boolean();
  const size_t elements = multiply(rows, width);
  float* const dx = args.f32(elements);
  float* const d_weight = args.f32(trains_weight ? width : 0);
  const float* const d_out = args.f32(elements);
  const float* const x = args.f32(elements);
  const float* const weight = args.f32(width);
  if (elements == 0) return nullptr;
  float* const factors = trains_weight ? backend.ops.factors.get<float>(rows) : nullptr;
  if (trains_weight) {
    // dx may lie where dOut does, so the weight's gradient comes first; it needs each row's factor.
    backend.run(backend.kernels.row_factors, RowFactorsArgs{factors, x, width, eps}, rows, row_grain(width));
    const NormWeightArgs sums = {d_weight, d_out, x, factors, rows, width};
    backend.run(backend.kernels.norm_weight_backward, sums, column_items(width), 1);
  }
  const RmsNormBackwardArgs backward = {dx, d_out, x, weight, width, eps, accumulate};
  backend.run(backend.kernels.rms_norm_backward, backward, rows, row_grain(width));
  return nullptr;
}

/** gegluBackward(backend, T, F, dGate, start, dUp, start, dOut, start, gate, start, up, start) */
napi_value gegluBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), elements = multiply(rows, width);
  float* const d_gate = args.f32(elements);
  float* const d_up = args.f32(elements);
  const float* const d_out = args.f32(elements);
  const float* const gate = args.f32(elements);
  const float* const up = args.f32(elements);
  backend.run(backend.kernels.geglu_backward, GegluBackwardArgs{d_gate, d_up, d_out, gate, up}, elements, COSTLY);
  return nullptr;
}

/** matmulWeightBackward(backend, T, N, K, dWeight, start, dOut, start, x, start) */
napi_value matmulWeightBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t terms = args.size(), outputs = args.size(), width = args.size();
  float* const d_weight = args.f32(multiply(outputs, width));
  const float* const d_out = args.f32(multiply(terms, outputs));
  const float* const x = args.f32(multiply(terms, width));
  if (width == 0) return nullptr;
  const SumOuterArgs outer = {d_weight, d_out, x, outputs, width, terms};
  backend.run(backend.kernels.sum_outer, outer, outer.items(), 1);
  return nullptr;
}

/** loraDeltaBackward(backend, T, K, N, r, scale, wantsX, accumulate, da, db, dx, dOut, x, a, b: each with its start) */
napi_value loraDeltaBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size(), width = args.size(), outputs = args.size(), rank = args.size();
  const float scale = static_cast<float>(args.number());
  const bool wants_x = args.boolean(), accumulate = args.boolean();
  LoraBackwardArgs lora = {};
  lora.da = args.f32(multiply(rank, width));
  lora.db = args.f32(multiply(outputs, rank));
  lora.dx = args.f32(wants_x ? multiply(rows, width) : 0);
  lora.d_out = args.f32(multiply(rows, outputs));
  lora.x = args.f32(multiply(rows, width));
  lora.a = args.f32(multiply(rank, width));
  lora.b = args.f32(multiply(outputs, rank));
  if (rows == 0) return nullptr;
  if (!wants_x) lora.dx = nullptr;
  lora.rows = rows;
  lora.width = width;
  lora.outputs = outputs;
  lora.rank = rank;
  lora.scale = scale;
  lora.accumulate = accumulate;
  lora.part_rows = std::max(LORA_PART_ROWS, (rows + MOST_LORA_PARTS - 1) / MOST_LORA_PARTS);
  LoraState& state = backend.ops.lora;
  float* const turned = state.turned.get<float>(multiply(width, rank));
  for (size_t j = 0; j < rank; j++) {
    for (size_t k = 0; k < width; k++) turned[k * rank + j] = lora.a[j * width + k];
  }
  lora.a_turned = turned;
  lora.inner = state.inner.get<float>(multiply(rows, rank));
  lora.outer = state.outer.get<float>(multiply(rows, rank));
  lora.da_parts = state.da_parts.get<float>(multiply(lora.parts(), multiply(rank, width)));
  lora.db_parts = state.db_parts.get<float>(multiply(lora.parts(), multiply(rank, outputs)));
  backend.run(backend.kernels.lora_backward, lora, lora.parts(), 1);
  backend.run(backend.kernels.lora_sum_parts, lora, rank, 1);
  return nullptr;
}

/** scatterAdd(backend, R, T, D, scale, out, start, rows, start, indices, start) */
napi_value scatterAdd(Args& args) {
  Backend& backend = args.backend();
  const size_t row_count = args.size(), count = args.size(), width = args.size();
  const double scale = args.number();
  float* const out = args.f32(multiply(count, width));
  const float* const rows = args.f32(multiply(row_count, width));
  const int32_t* const indices = args.i32(row_count);
  const ScatterAddArgs scatter = {out, rows, indices, row_count, count, width, scale};
  backend.run(backend.kernels.scatter_add, scatter, column_items(width), 1);
  return nullptr;
}

/** Where each sequence's rows lie among keys and queries, and what a head of it works in. Returns the floats of all of that. */
size_t find_spans(std::vector<AttentionSpan>& spans, const int32_t* keys, size_t key_rows, const int32_t* queries,
                  size_t query_rows, size_t heads, size_t head_dim, bool is_rounded) {
  const auto end_of = [](const int32_t* sequences, size_t begin, size_t rows) {
    size_t end = begin;
    while (end < rows && sequences[end] == sequences[begin]) end++;
    return end;
  };
  spans.clear();
  size_t floats = 0, next_query = 0;  // sequences mostly come in the same order
  for (size_t key = 0; key < key_rows;) {
    AttentionSpan span = {0, 0, key, end_of(keys, key, key_rows), floats};
    const auto matches = [&](size_t query) { return query < query_rows && queries[query] == keys[key]; };
    if (!matches(next_query)) {
      next_query = static_cast<size_t>(std::find(queries, queries + query_rows, keys[key]) - queries);
    }
    if (matches(next_query)) {
      span.query_begin = next_query;
      span.query_end = next_query = end_of(queries, next_query, query_rows);
    }
    floats += multiply(heads, AttentionScratch(head_dim, span.keys(), is_rounded).floats);
    key = span.key_end;
    spans.push_back(span);
  }
  return floats;
}

/**
 * attentionBackward(backend, R, T, heads, kvHeads, H, scale, softCap or 0, window or 0, dq, dk, dv, dOut, q, k, v,
 *                   queryPositions, querySequences, keyPositions, keySequences: each with its start)
 */
napi_value attentionBackward(Args& args) {
  Backend& backend = args.backend();
  const size_t query_rows = args.size(), key_rows = args.size();
  const size_t heads = args.size(), kv_heads = args.size(), head_dim = args.size();
  if (kv_heads == 0 || heads % kv_heads != 0) {
    throw Error{"ERR_SHAPE", "native: heads must be a multiple of key heads, got " + std::to_string(heads) + " and " +
                                 std::to_string(kv_heads)};
  }
  AttentionBackwardArgs a = {};
  a.scale = static_cast<float>(args.number());
  a.soft_cap = static_cast<float>(args.number());
  a.window = args.size();
  const size_t query_floats = multiply(multiply(query_rows, heads), head_dim);
  const size_t key_floats = multiply(multiply(key_rows, kv_heads), head_dim);
  a.dq = args.f32(query_floats);
  a.dk = args.f32(key_floats);
  a.dv = args.f32(key_floats);
  a.d_out = args.f32(query_floats);
  a.q = args.f32(query_floats);
  a.k = args.f32(key_floats);
  a.v = args.f32(key_floats);
  a.query_positions = args.i32(query_rows);
  const int32_t* const query_sequences = args.i32(query_rows);
  a.key_positions = args.i32(key_rows);
  const int32_t* const key_sequences = args.i32(key_rows);
  a.key_rows = key_rows;
  a.query_heads = heads;
  a.kv_heads = kv_heads;
  a.head_dim = head_dim;
  a.is_rounded = backend.is_int8 && backend.kernels.has_bf16_dots && head_dim <= MAX_HEAD_DIM;
  std::fill_n(a.dq, query_floats, 0.0f);  // also of rows that see no key
  if (query_floats == 0) {  // nothing sees a key
    std::fill_n(a.dk, key_floats, 0.0f);
    std::fill_n(a.dv, key_floats, 0.0f);
  }
  if (query_floats == 0 || key_floats == 0) return nullptr;

  // First of all: where these find room, the sum of find_spans does not overflow.
  OpState& state = backend.ops;
  const size_t part_floats = multiply(multiply(heads, key_rows), head_dim);
  a.dk_parts = state.attention_parts.get<float>(multiply(2, part_floats));
  a.dv_parts = a.dk_parts + part_floats;
  std::vector<AttentionSpan>& spans = state.attention_spans;
  const size_t floats =
      find_spans(spans, key_sequences, key_rows, query_sequences, query_rows, heads, head_dim, a.is_rounded);
  a.spans = spans.data();
  a.scratch = state.attention_scores.get<float>(floats);
  backend.run(backend.kernels.attention_backward, a, spans.size() * heads, 1);
  backend.run(backend.kernels.sum_heads, a, key_rows, row_grain(heads * head_dim));
  return nullptr;
}

}  // namespace

std::vector<Method> backward_methods() {
  return {GEMMA_METHOD(matmulBackward), GEMMA_METHOD(matmulWeightBackward), GEMMA_METHOD(loraDeltaBackward),
          GEMMA_METHOD(rmsNormBackward), GEMMA_METHOD(gegluBackward),       GEMMA_METHOD(attentionBackward),
          GEMMA_METHOD(scatterAdd)};
}

}  // namespace gemma
