// dx = dlogits · head, and dhead. dlogits are sparse: a block of the head is unpacked, and each row of x adds up those of its rows
// that it has gradients of. Contract: src/backend/ops/cross-entropy.ts
#include <cstring>

#include "kernels.h"
#include "kernels/simd.h"
#include "kernels/unpack-rows.h"

namespace gemma::GEMMA_ISA {
namespace {

/** dx += the rows of the block that are at `places`, each times its slope. Rows end in zeros up to a multiple of 16. */
template <class T>
void add_rows(const LogitSlopes& slopes, const T* rows, size_t stride, float* dx, size_t width) {
  constexpr size_t PARTS = 8;
  size_t k = 0;
  for (; k + PARTS * LANES <= width; k += PARTS * LANES) {
    F32 sums[PARTS];
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[p] = load(dx + k + p * LANES);
    for (size_t i = 0; i < slopes.count; i++) {
      const F32 each = splat(slopes.values[i]);
      const T* const row = rows + slopes.places[i] * stride + k;
      GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) sums[p] = fma(load(row + p * LANES), each, sums[p]);
    }
    GEMMA_UNROLL for (size_t p = 0; p < PARTS; p++) store(dx + k + p * LANES, sums[p]);
  }
  for (; k < width; k += LANES) {
    const bool is_whole = k + LANES <= width;
    F32 sum = is_whole ? load(dx + k) : load_partial(dx + k, width - k);
    for (size_t i = 0; i < slopes.count; i++) {
      sum = fma(load(rows + slopes.places[i] * stride + k), splat(slopes.values[i]), sum);
    }
    if (is_whole) {
      store(dx + k, sum);
    } else {
      store_partial(dx + k, sum, width - k);
    }
  }
}

/** The panels of a block that a row wants something of, a bit each. */
uint32_t wanted_panels(const CrossEntropyArgs& args, size_t block) {
  uint32_t wanted = 0;
  const uint8_t* const places = args.places + block * args.slots();
  for (size_t i = 0; i < args.starts[block * (args.rows + 1) + args.rows]; i++) wanted |= 1u << places[i] / PANEL_ROWS;
  return wanted;
}

template <class T>
void add_block(const CrossEntropyArgs& args, size_t block, T* unpacked, float* dx) {
  const WeightView& head = args.product.weight;
  const size_t width = args.width();
  const uint32_t wanted = wanted_panels(args, block);
  if (wanted == 0) return;
  for (size_t k = 0; k < width; k += HEAD_COLUMNS) {
    const size_t k_end = HEAD_COLUMNS < width - k ? k + HEAD_COLUMNS : width;
    for (size_t panel = 0; panel < LOGIT_BLOCK / PANEL_ROWS; panel++) {
      if ((wanted >> panel & 1) == 0) continue;
      const size_t index = block * LOGIT_BLOCK / PANEL_ROWS + panel;
      unpack_panel(head, index, k, k_end, unpacked + panel * PANEL_ROWS * HEAD_COLUMNS, HEAD_COLUMNS);
    }
    for (size_t row = 0; row < args.rows; row++) {
      const LogitSlopes slopes = args.slopes(block, row);
      if (slopes.count > 0) add_rows(slopes, unpacked, HEAD_COLUMNS, dx + row * width + k, k_end - k);
    }
  }
}

void add_to_head(const CrossEntropyArgs& args, size_t block) {
  const size_t width = args.width();
  for (size_t row = 0; row < args.rows; row++) {
    const LogitSlopes slopes = args.slopes(block, row);
    const float* const x = args.product.x + row * width;
    for (size_t i = 0; i < slopes.count; i++) {
      const F32 each = splat(slopes.values[i]);
      float* const own = args.d_head + (block * LOGIT_BLOCK + slopes.places[i]) * width;
      map2(own, own, x, 0, width, [each](F32 sum, F32 value) { return fma(value, each, sum); });
    }
  }
}

}  // namespace

/** Item: a segment of the vocabulary. */
void cross_entropy_gradients(const CrossEntropyArgs& args, size_t begin, size_t end) {
  for (size_t segment = begin; segment < end; segment++) {
    float* const dx = args.dx + segment * args.rows * args.width();
    float* const unpacked = args.unpacked + segment * LOGIT_BLOCK * HEAD_COLUMNS;
    std::memset(dx, 0, args.rows * args.width() * sizeof(float));
    const size_t last = (segment + 1) * args.blocks / HEAD_SEGMENTS;
    for (size_t block = segment * args.blocks / HEAD_SEGMENTS; block < last; block++) {
      if (args.is_rounded) {
        add_block(args, block, reinterpret_cast<uint16_t*>(unpacked), dx);
      } else {
        add_block(args, block, unpacked, dx);
      }
      if (args.d_head != nullptr) add_to_head(args, block);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
