// Packing weights, and the two operations that read them: matmul and embed.
#include <algorithm>

#include "addon.h"
#include "run-matmul.h"

namespace gemma {
namespace {

constexpr size_t ROW_BLOCK = 128;               // rows of x whose part of the cache outlives a panel
constexpr size_t CHUNK_WORK = size_t{1} << 16;  // multiplications a chunk should have at least: a few microseconds
constexpr size_t MOST_WORK = size_t{1} << 22;   // and at most: some 100 microseconds, also where memory is waited for

/** packRows(backend, weight, firstRow, data): packs whole rows; firstRow is a multiple of 16. Each row once, in order.
 */
napi_value packRows(Args& args) {
  Backend& backend = args.backend();
  Weight& weight = args.weight();
  const WeightView& view = weight.view;
  const size_t first = args.size();
  const auto data = args.u8_array();

  const StoredFormat& format = stored_format(weight.dtype);
  const size_t row_bytes = view.columns / format.block_elements * format.block_bytes;
  const size_t rows = data.length / row_bytes;
  const bool fits = data.length % row_bytes == 0 && first == weight.packed_rows && rows <= view.rows - first;
  if (!fits || (first + rows != view.rows && rows % PANEL_ROWS != 0)) {
    throw Error{"ERR_SHAPE", "native: packed rows must follow each other in multiples of 16 up to " +
                                 std::to_string(view.rows) + ", got " + std::to_string(data.length) + " bytes at row " +
                                 std::to_string(first)};
  }
  uint8_t* const panels = weight.memory.data + first / PANEL_ROWS * view.panel_bytes;
  uint8_t* low = nullptr;
  if (view.low != nullptr) {
    low = weight.memory.data + (view.low - view.panels) + first / PANEL_ROWS * lower_panel_bytes(view.columns);
  }
  const PackArgs pack = {data.data, rows, view.columns, row_bytes, weight.dtype, panels, view.panel_bytes, low};
  const size_t grain = std::max<size_t>(1, CHUNK_WORK / (view.columns * PANEL_ROWS));
  backend.run(backend.kernels.pack, pack, (rows + PANEL_ROWS - 1) / PANEL_ROWS, grain);
  weight.packed_rows += rows;
  return nullptr;
}

/** embed(backend, T, scale, table, out, start, ids, start) */
napi_value embed(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size();
  const float scale = static_cast<float>(args.number());
  const WeightView& table = args.weight().view;
  float* const out = args.f32(multiply(rows, table.columns));
  const int32_t* const ids = args.i32(rows);
  backend.run(backend.kernels.embed, EmbedArgs{out, table, ids, scale}, rows, 16);
  return nullptr;
}

/** matmul(backend, T, weight, out, start, x, start) */
napi_value matmul(Args& args) {
  Backend& backend = args.backend();
  const size_t rows = args.size();
  const WeightView& weight = args.weight().view;
  float* const out = args.f32(multiply(rows, weight.rows));
  const float* const x = args.f32(multiply(rows, weight.columns));
  if (rows != 0) run_matmul(backend, out, x, rows, weight);
  return nullptr;
}

}  // namespace

PreparedX prepare(Backend& backend, const float* x, size_t rows, const WeightView& weight) {
  PreparedX out = {};
  if (weight.form == Form::bf16 && backend.is_int8 && backend.kernels.has_bf16_dots) {
    out.pairs = backend.x_pairs.get<uint32_t>(multiply(rows, x_pairs(weight.columns)));
  } else if (is_dense(weight.form)) {
    return out;
  } else if (backend.is_int8) {
    out.blocks = backend.x_blocks.get<XBlock>(multiply(rows, x_blocks(weight.columns)));
  } else if (quant_form(weight.form).has_min) {
    out.sums = backend.x_sums.get<float>(multiply(rows, weight.columns / quant_form(weight.form).group));
  } else {
    return out;
  }
  const PrepareArgs prepare = {x, weight.columns, weight.form, backend.is_int8, out};
  backend.run(backend.kernels.prepare_x, prepare, rows, std::max<size_t>(1, CHUNK_WORK / weight.columns));
  return out;
}

void run_matmul(Backend& backend, float* out, const float* x, size_t rows, const WeightView& weight) {
  const PreparedX prepared = prepare(backend, x, rows, weight);
  const size_t panels = (weight.rows + PANEL_ROWS - 1) / PANEL_ROWS;
  const size_t row_block = std::min(rows, ROW_BLOCK), blocks = (rows + row_block - 1) / row_block;
  const MatmulArgs matmul = {out, weight, rows, row_block, panels, x, prepared, backend.is_int8};
  const size_t items = panels * blocks;
  // About eight chunks a thread, so that a displaced thread holds little up, but no chunk too small to be worth handing
  // out.
  const size_t item_work = PANEL_ROWS * weight.columns * row_block;
  const size_t least = CHUNK_WORK / item_work + 1, most = MOST_WORK / item_work + 1;
  backend.run(backend.kernels.matmul, matmul, items, std::clamp(items / (backend.pool.threads() * 8), least, most));
}

std::vector<Method> matmul_methods() { return {GEMMA_METHOD(packRows), GEMMA_METHOD(embed), GEMMA_METHOD(matmul)}; }

}  // namespace gemma
