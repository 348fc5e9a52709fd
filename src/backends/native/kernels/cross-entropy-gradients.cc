// dx = dlogits · head, and dhead: dlogits are sparse, so rows of the head are added up one by one, a panel at a time for all
// rows that want something of it. Contract: src/backend/ops/cross-entropy.ts
#include <cstring>

#include "kernels.h"
#include "kernels/matmul-tiles.h"
#include "kernels/unpack.h"

namespace gemma::GEMMA_ISA {
namespace {

/** What one row of x takes of a panel. */
struct Share {
  size_t count = 0;
  size_t rows[PANEL_ROWS];   // of the panel
  float slopes[PANEL_ROWS];  // dlogits
};

/** dx += the rows of the panel, each times its slope. */
template <size_t COUNT>
void add_rows(const Share& share, const float* panel, size_t stride, float* dx, size_t width) {
  constexpr size_t PARTS = 4;
  Floats slopes[COUNT];
  const float* rows[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    slopes[i] = set(share.slopes[i]);
    rows[i] = panel + share.rows[i] * stride;
  }
  size_t k = 0;
  for (; k + PARTS * PANEL_ROWS <= width; k += PARTS * PANEL_ROWS) {
    Floats sums[PARTS];
#pragma GCC unroll 4
    for (size_t p = 0; p < PARTS; p++) sums[p] = load(dx + k + p * PANEL_ROWS);
#pragma GCC unroll 4
    for (size_t i = 0; i < COUNT; i++) {
#pragma GCC unroll 4
      for (size_t p = 0; p < PARTS; p++) sums[p] = fma(load(rows[i] + k + p * PANEL_ROWS), slopes[i], sums[p]);
    }
#pragma GCC unroll 4
    for (size_t p = 0; p < PARTS; p++) store_first(dx + k + p * PANEL_ROWS, sums[p], PANEL_ROWS);
  }
  for (; k < width; k += PANEL_ROWS) {
    const size_t count = PANEL_ROWS < width - k ? PANEL_ROWS : width - k;
    Floats sum = load_first(dx + k, count);
    for (size_t i = 0; i < COUNT; i++) sum = fma(load(rows[i] + k), slopes[i], sum);
    store_first(dx + k, sum, count);
  }
}

/** The shares of one block's panels, taken in order. */
class Shares {
 public:
  Shares(const CrossEntropyArgs& args, size_t block) : args_(args), first_(block * args.rows) {}

  bool wants(size_t row, size_t behind) const {
    const size_t at = first_ + row;
    return next_[row] < args_.counts[at] && args_.places[at * LOGIT_BLOCK + next_[row]] < behind;
  }

  /** Whether any row wants an id below `behind`. */
  bool any(size_t behind) const {
    for (size_t row = 0; row < args_.rows; row++) {
      if (wants(row, behind)) return true;
    }
    return false;
  }

  /** Of ids [first, first + 16), those of smaller ones being taken. */
  Share take(size_t row, size_t first) {
    Share share;
    const size_t at = (first_ + row) * LOGIT_BLOCK;
    for (; wants(row, first + PANEL_ROWS); next_[row]++) {
      share.rows[share.count] = args_.places[at + next_[row]] - first;
      share.slopes[share.count++] = args_.kept[at + next_[row]];
    }
    return share;
  }

 private:
  const CrossEntropyArgs& args_;
  const size_t first_;
  uint16_t next_[ROW_BLOCK] = {};
};

void add_to_head(const CrossEntropyArgs& args, const Share& share, size_t row, size_t first_id) {
  const size_t width = args.width();
  const float* const x = args.product.x + row * width;
  for (size_t i = 0; i < share.count; i++) {
    float* const out = args.d_head + (first_id + share.rows[i]) * width;
    for (size_t k = 0; k < width; k += PANEL_ROWS) {
      const size_t count = PANEL_ROWS < width - k ? PANEL_ROWS : width - k;
      store_first(out + k, fma(load_first(x + k, count), set(share.slopes[i]), load_first(out + k, count)), count);
    }
  }
}

}  // namespace

/** Item: a segment of the vocabulary. */
void cross_entropy_gradients(const CrossEntropyArgs& args, size_t begin, size_t end) {
  const WeightView& head = args.product.weight;
  const size_t width = args.width(), stride = args.padded_width();
  for (size_t segment = begin; segment < end; segment++) {
    float* const dx = args.dx + segment * args.rows * width;
    float* const panel = args.panels + segment * PANEL_ROWS * stride;
    std::memset(dx, 0, args.rows * width * sizeof(float));
    const size_t last = (segment + 1) * args.blocks / HEAD_SEGMENTS;
    for (size_t block = segment * args.blocks / HEAD_SEGMENTS; block < last; block++) {
      Shares shares(args, block);
      for (size_t first = 0; first < LOGIT_BLOCK; first += PANEL_ROWS) {
        if (!shares.any(first + PANEL_ROWS)) continue;
        const size_t first_id = block * LOGIT_BLOCK + first;
        for (size_t k = 0; k < width; k += UNPACK_COLUMNS) {
          const size_t k_end = UNPACK_COLUMNS < width - k ? k + UNPACK_COLUMNS : width;
          unpack_rows(head, first_id / PANEL_ROWS, k, k_end, panel + k, stride);
        }
        for (size_t row = 0; row < args.rows; row++) {
          const Share share = shares.take(row, first);
          if (share.count == 0) continue;
          with_constant<PANEL_ROWS>(share.count, [&](auto count) {
            add_rows<count()>(share, panel, stride, dx + row * width, width);
          });
          if (args.d_head != nullptr) add_to_head(args, share, row, first_id);
        }
      }
    }
  }
}

}  // namespace gemma::GEMMA_ISA
