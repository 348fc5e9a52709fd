// Bounds of logits from the upper plane of a split head, and their refinement. Contract: src/backend/ops/choose-ids.ts
#include "kernels.h"
#include "kernels/matmul-tiles.h"
#include "kernels/split.h"

namespace gemma::GEMMA_ISA {
namespace {

constexpr size_t VECTORS = Q8_GROUP / 4;
constexpr size_t OPEN_PANELS = 512;  // that are refined together
constexpr size_t STRIDE = 2;         // groups that are read between two looks at the bounds
constexpr size_t AHEAD = 6;          // panels whose groups are on their way from memory

size_t width_of(const WeightView& weight, size_t panel) {
  const size_t left = weight.rows - panel * PANEL_ROWS;
  return left < PANEL_ROWS ? left : PANEL_ROWS;
}

/** Dot products of 16 rows of nibbles with a group's activations. */
inline Ints dot_nibbles(const Bytes* nibbles, const int8_t* x) {
  Ints dots[1] = {set_int(0)};
  dot_group<4, VECTORS>(dots, nibbles, x, 0);
  return dots[0];
}

/** FIRST_IS_HIGH: whether vector 2j lies in the high nibbles, as in the upper plane. */
template <bool FIRST_IS_HIGH>
inline void unpack_nibbles(const uint8_t* plane, Bytes* nibbles) {
#pragma GCC unroll 8
  for (size_t j = 0; j < VECTORS / 2; j++) {
    const Bytes pair = load_bytes(plane + 64 * j);
    nibbles[2 * j + (FIRST_IS_HIGH ? 1 : 0)] = low_nibbles(pair);
    nibbles[2 * j + (FIRST_IS_HIGH ? 0 : 1)] = high_nibbles(pair);
  }
}

template <size_t ROWS>
void screen_panel(const ScreenArgs& args, size_t panel, size_t row) {
  const size_t count = args.weight.columns / Q8_GROUP;
  const uint8_t* upper = args.weight.panels + panel * args.weight.panel_bytes;
  Floats estimate[ROWS], reach[ROWS];
  for (size_t r = 0; r < ROWS; r++) estimate[r] = reach[r] = set(0);
  for (size_t g = 0; g < count; g++, upper += UPPER_GROUP) {
    Bytes nibbles[VECTORS];
    unpack_nibbles<true>(upper, nibbles);
    const Floats scale = load_f16(upper + NIBBLE_BYTES), size = absolute(scale);
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++) {
      const ScreenGroup& group = args.groups[(row + r) * count + g];
      const Floats dots = to_floats(dot_nibbles(nibbles, group.quants));
      estimate[r] = fma(scale, set(group.upper_centre), estimate[r]);
      estimate[r] = fma(dots, mul(scale, set(16 * group.scale)), estimate[r]);
      reach[r] = fma(size, set(group.reach), reach[r]);
    }
  }
  const Floats norm = load(reinterpret_cast<const float*>(upper));
  const size_t width = width_of(args.weight, panel);
  for (size_t r = 0; r < ROWS; r++) {
    const size_t at = (row + r) * args.weight.rows + panel * PANEL_ROWS;
    store_first(args.estimates + at, estimate[r], width);
    store_first(args.slacks + at, mul(norm, reach[r]), width);
  }
}

/** Whether one of the first `width` sums is not below the threshold. */
bool reaches(const float* estimates, const float* slacks, size_t width, float threshold) {
  bool result = false;
  for (size_t i = 0; i < width; i++) result |= !(estimates[i] + slacks[i] < threshold);
  return result;
}

const uint8_t* lower_group(const WeightView& weight, size_t panel, size_t g) {
  return weight.low + panel * lower_panel_bytes(weight.columns) + g * NIBBLE_BYTES;
}

const uint8_t* upper_scale(const WeightView& weight, size_t panel, size_t g) {
  return weight.panels + panel * weight.panel_bytes + g * UPPER_GROUP + NIBBLE_BYTES;
}

const float* norms(const WeightView& weight, size_t panel) {
  const uint8_t* const upper = weight.panels + panel * weight.panel_bytes;
  return reinterpret_cast<const float*>(upper + weight.columns / Q8_GROUP * UPPER_GROUP);
}

void prefetch_groups(const WeightView& weight, size_t panel, const uint32_t* groups, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t* const lower = lower_group(weight, panel, groups[i]);
    for (size_t j = 0; j < NIBBLE_BYTES; j += 64) __builtin_prefetch(lower + j);
    __builtin_prefetch(upper_scale(weight, panel, groups[i]));
  }
  __builtin_prefetch(norms(weight, panel));
}

/** Takes the lower plane of `groups` into a panel's bounds. Returns whether a logit may still reach the threshold. */
bool refine_panel(const RefineArgs& args, size_t panel, const uint32_t* groups, size_t count) {
  const WeightView& weight = args.weight;
  const size_t width = width_of(weight, panel), first = panel * PANEL_ROWS;
  Floats estimate = load_first(args.estimates + first, width), slack = load_first(args.slacks + first, width);
  const Floats norm = load(norms(weight, panel));
  for (size_t i = 0; i < count; i++) {
    const ScreenGroup& group = args.groups[groups[i]];
    Bytes nibbles[VECTORS];
    unpack_nibbles<false>(lower_group(weight, panel, groups[i]), nibbles);
    const Floats scale = load_f16(upper_scale(weight, panel, groups[i]));
    const Floats dots = to_floats(dot_nibbles(nibbles, group.quants));
    estimate = fma(scale, set(group.lower_centre), estimate);
    estimate = fma(dots, mul(scale, set(group.scale)), estimate);
    slack = fma(mul(norm, absolute(scale)), set(-group.drop), slack);
  }
  store_first(args.estimates + first, estimate, width);
  store_first(args.slacks + first, slack, width);
  return reaches(args.estimates + first, args.slacks + first, width, args.threshold);
}

}  // namespace

void screen(const ScreenArgs& args, size_t begin, size_t end) {
  for (size_t panel = begin; panel < end; panel++) {
    for_tiles<4>(0, args.rows, [&](auto rows, size_t row) { screen_panel<rows()>(args, panel, row); });
  }
}

void refine(const RefineArgs& args, size_t begin, size_t end) {
  const size_t count = args.weight.columns / Q8_GROUP;
  for (size_t block = begin; block < end; block += OPEN_PANELS) {
    const size_t block_end = OPEN_PANELS < end - block ? block + OPEN_PANELS : end;
    size_t open[OPEN_PANELS], left = 0;
    for (size_t panel = block; panel < block_end; panel++) {
      const size_t first = panel * PANEL_ROWS;
      const size_t width = width_of(args.weight, panel);
      const bool is_open = reaches(args.estimates + first, args.slacks + first, width, args.threshold);
      args.found[panel] = is_open ? Found::below : Found::at_once;
      if (is_open) open[left++] = panel;
    }
    // All open panels take a step before any takes the next: memory then answers many at a time.
    for (size_t g = 0; g < count && left > 0; g += STRIDE) {
      const uint32_t* const groups = args.order + g;
      const size_t taken = STRIDE < count - g ? STRIDE : count - g;
      const size_t opened = left;
      left = 0;
      for (size_t i = 0; i < opened; i++) {
        if (i + AHEAD < opened) prefetch_groups(args.weight, open[i + AHEAD], groups, taken);
        if (refine_panel(args, open[i], groups, taken)) open[left++] = open[i];
      }
    }
    for (size_t i = 0; i < left; i++) args.found[open[i]] = Found::may_reach;
  }
}

}  // namespace gemma::GEMMA_ISA
