#include "sampling.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/op-args.h"
#include "random.h"

namespace gemma {
namespace {

constexpr float NONE = -std::numeric_limits<float>::infinity();

/** Calls f(logit, id) on every allowed logit that is at least `low` and above minus infinity, in ascending order of ids. */
template <class Fn>
void for_each_from(const Logits& row, double low, const Fn& f) {
  for (size_t block = 0; block < row.blocks; block++) {
    if (!(row.maxima[block] > NONE && row.maxima[block] >= low)) continue;
    const size_t end = std::min(row.width, (block + 1) * LOGIT_BLOCK);
    for (size_t id = block * LOGIT_BLOCK; id < end; id++) {
      const float logit = row.values[id];
      if (!(logit >= low && logit > NONE)) continue;
      if (row.mask == nullptr || (row.mask[id / 32] >> id % 32 & 1) != 0) f(logit, static_cast<int32_t>(id));
    }
  }
}

/** The order of candidates. */
bool before(const Candidate& a, const Candidate& b) { return a.logit > b.logit || (a.logit == b.logit && a.id < b.id); }

/** A value that at least n logits reach: the n-th largest of the blocks' maxima. */
float lower_bound(const Logits& row, size_t n) {
  if (n > row.blocks) return NONE;
  std::vector<float> maxima(row.maxima, row.maxima + row.blocks);
  std::nth_element(maxima.begin(), maxima.begin() + static_cast<ptrdiff_t>(n - 1), maxima.end(), std::greater<float>());
  return maxima[n - 1];
}

/** Candidates from the most likely down, found only as far as they are needed, and the running sums of their weights. */
class Ranking {
 public:
  /** All ids of a row; `total`: the sum of their weights. */
  Ranking(const Logits& row, double temperature, double total)
      : row_(&row),
        temperature_(temperature),
        total_(total),
        max_(*std::max_element(row.maxima, row.maxima + row.blocks)) {}

  /** The most likely ids, at least one, in their order. */
  Ranking(const std::vector<Candidate>& best, double temperature)
      : temperature_(temperature), max_(best.front().logit), is_complete_(true) {
    append(best);
    total_ = sums_.back();
  }

  double total() const { return total_; }
  int32_t id(size_t i) const { return candidates_[i].id; }
  /** Of candidates 0..i. */
  double sum(size_t i) const { return sums_[i]; }

  /** The first candidate whose running sum satisfies `reached`; the last one if none does. */
  template <class Reached>
  size_t first(const Reached& reached) {
    for (size_t i = 0;; i++) {
      if (i == candidates_.size() && !extend()) return i - 1;
      if (reached(sums_[i])) return i;
    }
  }

  /** How many candidates have at least this share of the greatest weight, at least 1. */
  size_t count_from(double share) {
    for (size_t i = 0;; i++) {
      if (i == candidates_.size() && !extend()) return i;
      if (i > 0 && weight(candidates_[i].logit) < share) return i;
    }
  }

 private:
  // The greatest weight is 1 also where (inf - inf) would be NaN.
  double weight(float logit) const { return logit == max_ ? 1 : std::exp((static_cast<double>(logit) - max_) / temperature_); }

  void append(const std::vector<Candidate>& more) {
    double sum = sums_.empty() ? 0 : sums_.back();
    for (const Candidate& candidate : more) sums_.push_back(sum += weight(candidate.logit));
    candidates_.insert(candidates_.end(), more.begin(), more.end());
  }

  /** Adds the next range of logits, two temperatures wide, that holds any. false: there are no more. */
  bool extend() {
    const size_t size = candidates_.size();
    while (candidates_.size() == size && !is_complete_) {
      const double high = low_;
      low_ = ++ranges_ > RANGES ? -std::numeric_limits<double>::infinity() : max_ - 2 * temperature_ * ranges_;
      is_complete_ = ranges_ > RANGES;
      std::vector<Candidate> found;
      for_each_from(*row_, low_, [&](float logit, int32_t id) {
        if (ranges_ == 1 || logit < high) found.push_back({logit, id});
      });
      std::sort(found.begin(), found.end(), before);
      append(found);
    }
    return candidates_.size() > size;
  }

  static constexpr int RANGES = 16;  // what lies below exp(-32) comes at once

  const Logits* row_ = nullptr;
  const double temperature_;
  double total_;
  float max_;
  double low_ = 0;  // lower end of the ranges so far
  int ranges_ = 0;
  bool is_complete_ = false;
  std::vector<Candidate> candidates_;
  std::vector<double> sums_;
};

}  // namespace

int32_t arg_max(const Logits& row) {
  const float* const best = std::max_element(row.maxima, row.maxima + row.blocks);
  if (row.blocks == 0 || *best == NONE) return -1;
  for (size_t id = static_cast<size_t>(best - row.maxima) * LOGIT_BLOCK; id < row.width; id++) {
    const bool allowed = row.mask == nullptr || (row.mask[id / 32] >> id % 32 & 1) != 0;
    if (allowed && row.values[id] == *best) return static_cast<int32_t>(id);
  }
  return -1;
}

std::vector<Candidate> most_likely(const Logits& row, size_t n) {
  std::vector<Candidate> found;
  if (n == 0) return found;
  for_each_from(row, lower_bound(row, n), [&](float logit, int32_t id) { found.push_back({logit, id}); });
  keep_best(found, n);
  return found;
}

void keep_best(std::vector<Candidate>& candidates, size_t n) {
  if (candidates.size() > n) {
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(n), candidates.end(), before);
    candidates.resize(n);
  }
  std::sort(candidates.begin(), candidates.end(), before);
}

namespace {

/** Top-p, min-p and the draw itself. */
int32_t draw_from(Ranking ranking, const SampleSettings& settings) {
  size_t kept = SIZE_MAX;
  double mass = ranking.total();
  if (settings.top_p < 1) {
    const double goal = settings.top_p * mass;
    kept = ranking.first([goal](double sum) { return sum >= goal; }) + 1;
  }
  if (settings.min_p > 0) kept = std::min(kept, ranking.count_from(settings.min_p));
  if (kept != SIZE_MAX) mass = ranking.sum(kept - 1);
  const double goal = draw_at(mix64(settings.seed), settings.index) * mass;
  const size_t drawn = ranking.first([goal](double sum) { return sum > goal; });
  return ranking.id(std::min(drawn, kept - 1));
}

}  // namespace

int32_t draw(const Logits& row, const SampleSettings& settings, double total) {
  if (settings.temperature == 0) return arg_max(row);
  if (settings.top_k != 0) return draw(most_likely(row, settings.top_k), settings);
  if (arg_max(row) < 0) return -1;
  return draw_from(Ranking(row, settings.temperature, total), settings);
}

int32_t draw(const std::vector<Candidate>& best, const SampleSettings& settings) {
  if (best.empty()) return -1;
  if (settings.temperature == 0) return best.front().id;
  return draw_from(Ranking(best, settings.temperature), settings);
}

}  // namespace gemma
