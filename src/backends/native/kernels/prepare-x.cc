// Activations as matmul wants them: rounded to integers in groups of 32, and sums of groups.
#include "kernels.h"
#include "kernels/half.h"

namespace gemma::GEMMA_ISA {
namespace {

/** Writes one group's quants. Returns its scale; NaN where x has a NaN or an infinity, so that the result is one. */
float quantise_group(const float* x, int8_t* quants) {
  // The bits of floats without sign compare as integers, NaN above all.
  int32_t largest = 0;
  for (size_t k = 0; k < X_GROUP; k++) {
    const int32_t magnitude = load_as<int32_t>(x + k) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  const float max = load_as<float>(&largest);
  const float inverse = 127.0f / max;
  const bool is_finite = largest < 0x7f800000;
  if (!is_finite || !(inverse <= 0x1.fffffep127f)) {  // or so small that it counts as zero
    std::memset(quants, 0, X_GROUP);
    return is_finite ? 0.0f : __builtin_nanf("");
  }
  // Adding 1.5 · 2^23 rounds half to even and leaves the integer in the low bits.
  for (size_t k = 0; k < X_GROUP; k++) {
    const float shifted = x[k] * inverse + 12582912.0f;
    quants[k] = static_cast<int8_t>(load_as<int32_t>(&shifted));
  }
  return max / 127.0f;
}

void prepare_int8(const PrepareArgs& args, size_t t) {
  const QuantForm form = quant_form(args.form);
  const size_t count = args.columns / X_GROUP;
  for (size_t i = 0; i < count; i++) {
    XGroup& group = args.out.groups[t * count + i];
    group.scale = quantise_group(args.x + t * args.columns + i * X_GROUP, group.quants);
    for (size_t part = 0; part < X_GROUP / form.group; part++) {
      int32_t sum = 0;
      for (size_t k = 0; k < form.group; k++) sum += group.quants[part * form.group + k];
      if (form.has_min) {
        group.sums[part] = group.scale * static_cast<float>(sum);
      } else {
        group.starts[part] = -form.offset * sum;
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

}  // namespace

void prepare_x(const PrepareArgs& args, size_t begin, size_t end) {
  for (size_t t = begin; t < end; t++) {
    if (args.is_int8) {
      prepare_int8(args, t);
    } else {
      prepare_f32(args, t);
    }
  }
}

}  // namespace gemma::GEMMA_ISA
