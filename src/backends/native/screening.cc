#include "screening.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "run-matmul.h"
#include "sample-args.h"

namespace gemma {
namespace {

constexpr size_t MOST_ROWS = 4;     // that want one candidate each; of those that want more, one alone
constexpr size_t LEAST_SHARE = 64;  // logits for each candidate wanted, at least
constexpr size_t PAUSE = 64;        // calls without screening after one that had to look closer at nearly all panels
constexpr float NONE = -std::numeric_limits<float>::infinity();
constexpr double ROUNDING = 0x1p-23;

/** Some panels of a head times one row of x, as matmul and softCap compute them. */
class ExactLogits {
 public:
  ExactLogits(Backend& backend, const MatmulArgs& args, float soft_cap)
      : backend_(backend), args_(args), soft_cap_(soft_cap) {}

  void compute(const std::vector<size_t>& panels) {
    backend_.pool.parallel_for(panels.size(), 4, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) {
        backend_.kernels.matmul(args_, panels[i], panels[i] + 1);
        if (soft_cap_ > 0) backend_.kernels.soft_cap({args_.out, soft_cap_}, first(panels[i]), last(panels[i]));
      }
    });
  }

  /** Those of a panel's logits that are at least `low` and above minus infinity. */
  void append(std::vector<Candidate>& to, size_t panel, float low) const {
    for (size_t id = first(panel); id < last(panel); id++) {
      const float logit = args_.out[id];
      if (logit >= low && logit > NONE) to.push_back({logit, static_cast<int32_t>(id)});
    }
  }

 private:
  size_t first(size_t panel) const { return panel * PANEL_ROWS; }
  size_t last(size_t panel) const { return std::min(args_.weight.rows, first(panel) + PANEL_ROWS); }

  Backend& backend_;
  const MatmulArgs args_;
  const float soft_cap_;
};

static_assert(Q8_GROUP == X_BLOCK, "a group of the head meets one block of x");

/** Fills a row's groups; see ScreenGroup. false: its numbers are no numbers, or so large that a bound might overflow. */
bool fill_groups(const XBlock* x, size_t count, ScreenGroup* groups) {
  // The estimate is a chain of 4 · count multiply-adds, the slack one of 2 · count, the exact logit one of less; each
  // rounds sums of at most 383, 43 and 128 times scale · sum |quants| · weight scale.
  const double rounding = (4 * static_cast<double>(count) + 16) * ROUNDING * 256 / LEAST_NORM;
  double total = 0;
  for (size_t g = 0; g < count; g++) {
    const XBlock& block = x[g];
    ScreenGroup& group = groups[g];
    int32_t sum = 0, size = 0, squares = 0;
    for (size_t i = 0; i < Q8_GROUP; i++) {
      const int32_t quant = block.quants[i];
      group.quants[i] = static_cast<int8_t>(quant);
      sum += quant;
      size += std::abs(quant);
      squares += quant * quant;
    }
    const double scale = block.scale, length = scale * std::sqrt(static_cast<double>(squares));
    group.scale = block.scale;
    group.upper_centre = static_cast<float>(scale * -120.5 * sum);
    group.lower_centre = static_cast<float>(scale * -7.5 * sum);
    group.reach = static_cast<float>(length * (1 + 4 * ROUNDING) + rounding * scale * size);
    group.drop = static_cast<float>(length * (1 - 4 * ROUNDING));
    total += scale * size;
  }
  return total < 1e30;
}

/** A logit below this is, capped, below `capped`, whatever the cap's rounding (see the tolerance of softCap). */
float before_cap(float capped, float soft_cap) {
  if (soft_cap == 0 || capped == NONE) return capped;
  const double share = std::min((capped - 4e-6 * (1 + soft_cap)) / soft_cap, 1 - 1e-7);
  if (share <= -1) return NONE;
  const double low = soft_cap * std::atanh(share);
  return static_cast<float>(low - 1e-6 * std::abs(low));
}

std::vector<size_t> panels_of(const std::vector<Candidate>& candidates) {
  std::vector<size_t> panels;
  for (const Candidate& candidate : candidates) panels.push_back(static_cast<size_t>(candidate.id) / PANEL_ROWS);
  std::sort(panels.begin(), panels.end());
  panels.erase(std::unique(panels.begin(), panels.end()), panels.end());
  return panels;
}

/** A value that `count` logits reach: those that look best are computed. Minus infinity where fewer are found. */
float find_threshold(ExactLogits& exact, const std::vector<size_t>& panels, size_t count) {
  exact.compute(panels);
  std::vector<Candidate> found;
  for (const size_t panel : panels) exact.append(found, panel, NONE);
  return found.size() < count ? NONE : (keep_best(found, count), found.back().logit);
}

}  // namespace

bool is_worth_screening(const WeightView& head, size_t rows, size_t most) {
  return head.low != nullptr && rows <= (most == 1 ? MOST_ROWS : 1) && most <= head.rows / LEAST_SHARE;
}

std::vector<std::vector<Candidate>> screened_candidates(Backend& backend, Weight& weight, const float* x,
                                                        const std::vector<size_t>& counts, float soft_cap) {
  const WeightView& head = weight.view;
  const size_t rows = counts.size(), width = head.rows, groups = head.columns / Q8_GROUP;
  const size_t panels = (width + PANEL_ROWS - 1) / PANEL_ROWS, grain = panels / (backend.pool.threads() * 8) + 1;
  const PreparedX prepared = prepare(backend, x, rows, head);
  ScreenGroup* const plans = backend.ops.screen_groups.get<ScreenGroup>(rows * groups);
  std::vector<bool> bounded(rows);
  for (size_t r = 0; r < rows; r++) {
    bounded[r] = fill_groups(prepared.blocks + r * groups, groups, plans + r * groups);
  }
  float* const estimates = backend.ops.estimates.get<float>(rows * width);
  float* const slacks = backend.ops.slacks.get<float>(rows * width);
  float* const logits = backend.ops.logits.get<float>(width);
  backend.run(backend.kernels.screen, ScreenArgs{head, rows, plans, estimates, slacks}, panels, grain);

  std::vector<LogitRow>& all = backend.ops.logit_rows;
  all.resize(rows);
  for (size_t r = 0; r < rows; r++) all[r] = {r, nullptr, 0, 1};
  const size_t blocks = block_count(width);
  const float* const maxima = find_maxima(backend, estimates, width, all);

  std::vector<Found> found(panels);
  std::vector<uint32_t> order(groups);
  std::vector<std::vector<Candidate>> result(rows);
  for (size_t r = 0; r < rows; r++) {
    const PreparedX row = {prepared.blocks + r * groups, nullptr, nullptr};
    const ScreenGroup* const plan = plans + r * groups;
    ExactLogits exact(backend, {logits, head, 1, 1, panels, nullptr, row, true}, soft_cap);
    const Logits estimated = {estimates + r * width, width, nullptr, maxima + r * blocks, blocks};
    const std::vector<size_t> first = panels_of(most_likely(estimated, counts[r]));
    const float threshold = bounded[r] ? find_threshold(exact, first, counts[r]) : NONE;

    for (size_t g = 0; g < groups; g++) order[g] = static_cast<uint32_t>(g);
    // NaN has no place in an order, and unbounded rows read everything in any.
    const auto matters_more = [plan](uint32_t a, uint32_t b) { return plan[a].drop > plan[b].drop; };
    if (bounded[r]) std::sort(order.begin(), order.end(), matters_more);
    backend.run(backend.kernels.refine,
                RefineArgs{head, plan, order.data(), estimates + r * width, slacks + r * width,
                           before_cap(threshold, soft_cap), found.data()},
                panels, grain);
    std::vector<size_t> rest;
    for (size_t panel = 0; panel < panels; panel++) {
      if (found[panel] == Found::may_reach) rest.push_back(panel);
    }
    if (std::count(found.begin(), found.end(), Found::at_once) < static_cast<ptrdiff_t>(panels / 8)) {
      weight.unscreened = PAUSE;
    }
    exact.compute(rest);
    for (const size_t panel : rest) exact.append(result[r], panel, threshold);
    keep_best(result[r], counts[r]);
  }
  return result;
}

}  // namespace gemma
