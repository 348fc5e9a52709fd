// Activations as matmul wants them: rounded to integers in blocks, and sums of groups.
#include <cstring>

#include "kernels.h"
#include "kernels/half.h"
#include "kernels/simd.h"

namespace gemma::GEMMA_ISA {
namespace {

static_assert(X_BLOCK % LANES == 0, "a row is cut into blocks");

/** Writes a block's quants. Returns its scale; NaN where x has a NaN or an infinity, so that the result is one. */
float quantise(const float* x, int8_t* quants) {
  // The bits of floats without sign compare as integers, NaN above all.
  I32 most = {};
  for (size_t k = 0; k < X_BLOCK; k += LANES) {
    const I32 magnitude = load_as<I32>(x + k) & 0x7fffffff;
    most = magnitude > most ? magnitude : most;
  }
  const int32_t bits = largest(most);
  const float max = float_of_bits(static_cast<uint32_t>(bits));
  const float inverse = 127.0f / max;
  const bool is_finite = bits < 0x7f800000;
  if (!is_finite || !(inverse <= 0x1.fffffep127f)) {  // or so small that it counts as zero
    std::memset(quants, 0, X_BLOCK);
    return is_finite ? 0.0f : __builtin_nanf("");
  }
  // Adding 1.5 · 2^23 rounds half to even and leaves the integer in the low bits.
  for (size_t k = 0; k < X_BLOCK; k += LANES) {
    const F32 shifted = load(x + k) * splat(inverse) + splat(12582912.0f);
    store_bytes(quants + k, (I32)shifted);
  }
  return max / 127.0f;
}

void prepare_int8(const PrepareArgs& args, size_t t) {
  const QuantForm form = quant_form(args.form);
  const size_t blocks = args.columns / X_BLOCK;
  for (size_t b = 0; b < blocks; b++) {
    XBlock& block = args.out.blocks[t * blocks + b];
    block.scale = quantise(args.x + t * args.columns + b * X_BLOCK, block.quants);
    for (size_t part = 0; part < X_BLOCK / form.group; part++) {
      int32_t sum = 0;
      for (size_t i = 0; i < form.group; i += 16) sum += sum_16(block.quants + part * form.group + i);
      if (form.has_min) {
        block.sums[part] = static_cast<float>(sum);
      } else {
        block.starts[part] = -form.offset * sum;
      }
    }
  }
}

void prepare_f32(const PrepareArgs& args, size_t t) {
  const size_t group = quant_form(args.form).group, groups = args.columns / group;
  for (size_t g = 0; g < groups; g++) {
    double sum = 0;
    for (size_t k = 0; k < group; k++) sum += args.x[t * args.columns + g * group + k];
    args.out.sums[t * groups + g] = static_cast<float>(sum);
  }
}

/** Rounds half to even; a NaN stays a NaN. */
void prepare_bf16(const PrepareArgs& args, size_t t) {
  const float* const x = args.x + t * args.columns;
  uint32_t* const out = args.out.pairs + t * x_pairs(args.columns);
  out[bf16_pairs(args.columns) - 1] = 0;  // the second of the last pair, where K is odd
  uint16_t* const halves = reinterpret_cast<uint16_t*>(out);
  for (size_t k = 0; k < args.columns; k++) halves[k] = f32_to_bf16(x[k]);
}

}  // namespace

void prepare_x(const PrepareArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    if (args.out.pairs != nullptr) {
      prepare_bf16(args, t);
    } else if (args.is_int8) {
      prepare_int8(args, t);
    } else {
      prepare_f32(args, t);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
