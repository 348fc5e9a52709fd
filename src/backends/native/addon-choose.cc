// chooseIds: the head's product and sampling in one.
#include <algorithm>

#include "run-matmul.h"
#include "sample-args.h"
#include "screening.h"

namespace gemma {
namespace {

/** All logits first. Rows that keep the k most likely need no sum over all of them. */
void choose_from_all(Backend& backend, const WeightView& head, const float* x, float soft_cap,
                     const std::vector<SampleSettings>& settings, int32_t* out) {
  const size_t count = settings.size(), width = head.rows, blocks = block_count(width);
  float* const logits = backend.ops.logits.get<float>(multiply(count, width));
  run_matmul(backend, logits, x, count, head);
  if (soft_cap > 0) backend.run(backend.kernels.soft_cap, SoftCapArgs{logits, soft_cap}, count * width, size_t{1} << 12);
  std::vector<LogitRow>& rows = backend.ops.logit_rows;
  rows.resize(count);
  for (size_t r = 0; r < count; r++) rows[r] = {r, nullptr, 0, 1};
  const float* const maxima = find_maxima(backend, logits, width, rows);
  for_each_row(backend, count, [&](size_t r) {
    out[r] = draw({logits + r * width, width, nullptr, maxima + r * blocks, blocks}, settings[r], 0);
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
