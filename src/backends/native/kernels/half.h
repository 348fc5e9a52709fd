// Scalar conversions of 16-bit floats. Included by kernels alone: one copy per instruction set.
#pragma once

#include <cstdint>
#include <cstring>

namespace gemma::GEMMA_ISA {

inline float float_of_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float bf16_to_f32(uint16_t bits) { return float_of_bits(uint32_t{bits} << 16); }

/** Rounds half to even; a NaN stays a NaN. */
inline uint16_t f32_to_bf16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, nan = bits >> 16 | 0x40;
  return static_cast<uint16_t>(x != x ? nan : rounded);
}

/** IEEE binary16, exactly. */
inline float f16_to_f32(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 31) return float_of_bits(sign | 0x7f800000 | fraction << 13);
  if (exponent != 0) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // subnormal
  return sign == 0 ? magnitude : -magnitude;
}

template <class T>
inline T load_as(const void* source) {
  T value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

}  // namespace gemma::GEMMA_ISA
