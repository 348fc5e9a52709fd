// chooseIds: the head's product and sampling in one.
#include <algorithm>
#include <limits>

#include "run-matmul.h"
#include "sample-args.h"
#include "screening.h"

namespace gemma {
namespace {

constexpr size_t CHUNK_ROWS = 32;  // times a block of ids: a chunk that is worth handing out

/** The whole head, of which rows that only look at their best id keep no logits. */
void choose_from_all(Backend& backend, const WeightView& head, const float* x, float soft_cap,
                     const std::vector<SampleSettings>& settings, int32_t* out) {
  const size_t count = settings.size(), width = head.rows, blocks = block_count(width);
  OpState& ops = backend.ops;
  std::vector<float*>& kept = ops.kept_logits;
  size_t keeping = 0;
  for (const SampleSettings& row : settings) keeping += row.temperature != 0;
  float* logits = ops.logits.get<float>(multiply(keeping, width));
  kept.assign(count, nullptr);
  for (size_t r = 0; r < count; r++) {
    if (settings[r].temperature == 0) continue;
    kept[r] = logits;
    logits += width;
  }
  float* const maxima = ops.maxima.get<float>(multiply(count, blocks));
  int32_t* const best = ops.best.get<int32_t>(multiply(count, blocks));
  const MatmulArgs product = product_args(backend, x, count, head);
  const ChooseIdsArgs choose = {product, soft_cap, blocks, maxima, best, kept.data()};
  const size_t row_blocks = (count + product.row_block - 1) / product.row_block;
  backend.run(backend.kernels.choose_ids, choose, blocks * row_blocks, CHUNK_ROWS / product.row_block + 1);
  for_each_row(backend, count, [&](size_t r) {
    const float* const row = maxima + r * blocks;
    if (kept[r] != nullptr) {
      out[r] = draw({kept[r], width, nullptr, row, blocks}, settings[r], 0);
      return;
    }
    const size_t at = static_cast<size_t>(std::max_element(row, row + blocks) - row);
    out[r] = row[at] == -std::numeric_limits<float>::infinity() ? -1 : best[r * blocks + at];
  });
}

/**
 * chooseIds(backend, R, head, softCap or 0, numbers, out, start, x, start)
 *   numbers f64 [R, 12]: as sample has them; each row's temperature is 0, or its topK is not
 */
napi_value chooseIds(Args& args) {
  Backend& backend = args.backend();
  const size_t count = args.size();
  Weight& head = args.weight();
  const float soft_cap = static_cast<float>(args.number());
  const auto numbers = args.f64_array();
  if (numbers.length != multiply(count, NUMBERS_A_ROW)) {
    throw Error{"ERR_RANGE", "native: chooseIds must have 12 numbers a row, got " + std::to_string(numbers.length)};
  }
  int32_t* const out = args.i32(count);
  const float* const x = args.f32(multiply(count, head.view.columns));
  if (count == 0) return nullptr;

  std::vector<SampleSettings> settings;
  std::vector<size_t> wanted;
  for (size_t r = 0; r < count; r++) {
    settings.push_back(read_settings(numbers.data + r * NUMBERS_A_ROW));
    wanted.push_back(settings[r].temperature == 0 ? 1 : settings[r].top_k);
    if (wanted[r] == 0) throw Error{"ERR_RANGE", "native: chooseIds' rows must keep the k most likely ids, got topK 0"};
  }
  const bool can_screen = is_worth_screening(head.view, count, *std::max_element(wanted.begin(), wanted.end()));
  const bool pauses = can_screen && head.unscreened > 0;
  if (pauses) head.unscreened--;
  if (!can_screen || pauses) {
    choose_from_all(backend, head.view, x, soft_cap, settings, out);
    return nullptr;
  }
  const auto candidates = screened_candidates(backend, head, x, wanted, soft_cap);
  for (size_t r = 0; r < count; r++) out[r] = draw(candidates[r], settings[r]);
  return nullptr;
}

}  // namespace

std::vector<Method> choose_methods() { return {GEMMA_METHOD(chooseIds)}; }

}  // namespace gemma
