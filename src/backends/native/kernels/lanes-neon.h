// kernels/lanes.h with NEON and its dot product: a vector is four registers of four rows.
#pragma once

#include <arm_neon.h>

namespace gemma::GEMMA_ISA {

struct Floats {
  float32x4_t v[4];
};
struct Ints {
  int32x4_t v[4];
};
struct Bytes {
  uint8x16_t v[4];
};

constexpr size_t MAX_TILE = 4;
constexpr bool SIGNED_DOT = true;  // the instruction takes two signed bytes

/** A vector of result(register). */
template <class Vector, class Result>
inline Vector each(const Result& result) {
  return {{result(0), result(1), result(2), result(3)}};
}

inline Floats set(float value) {
  return each<Floats>([&](int) { return vdupq_n_f32(value); });
}
inline Floats load(const float* p) {
  return each<Floats>([&](int i) { return vld1q_f32(p + 4 * i); });
}
inline Floats add(const Floats& a, const Floats& b) {
  return each<Floats>([&](int i) { return vaddq_f32(a.v[i], b.v[i]); });
}
inline Floats mul(const Floats& a, const Floats& b) {
  return each<Floats>([&](int i) { return vmulq_f32(a.v[i], b.v[i]); });
}
inline Floats absolute(const Floats& x) {
  return each<Floats>([&](int i) { return vabsq_f32(x.v[i]); });
}
/** a · b + c */
inline Floats fma(const Floats& a, const Floats& b, const Floats& c) {
  return each<Floats>([&](int i) { return vfmaq_f32(c.v[i], a.v[i], b.v[i]); });
}
inline void store(float* p, const Floats& x) {
  for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, x.v[i]);
}
inline Floats load_first(const float* p, size_t count) {
  if (count == 16) return load(p);
  float all[16] = {};
  for (size_t i = 0; i < count; i++) all[i] = p[i];
  return load(all);
}
inline void store_first(float* p, const Floats& x, size_t count) {
  if (count == 16) return store(p, x);
  float all[16];
  store(all, x);
  for (size_t i = 0; i < count; i++) p[i] = all[i];
}

inline Floats load_f16(const uint8_t* p) {
  return each<Floats>([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p + 8 * i))); });
}
/** The first or the second bf16 of 16 pairs. */
inline Floats load_bf16_first(const uint8_t* p) {
  return each<Floats>(
      [&](int i) { return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u8(vld1q_u8(p + 16 * i)), 16)); });
}
inline Floats load_bf16_second(const uint8_t* p) {
  return each<Floats>([&](int i) {
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u8(vld1q_u8(p + 16 * i)), vdupq_n_u32(0xffff0000)));
  });
}
inline Floats load_u8(const uint8_t* p) {
  const uint8x16_t bytes = vld1q_u8(p);
  const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
  return {{vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
           vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))), vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)))}};
}
inline Floats load_i8(const uint8_t* p) {
  const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(p));
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
  return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
           vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}

inline Ints set_int(int32_t value) {
  return each<Ints>([&](int) { return vdupq_n_s32(value); });
}
inline Ints add_ints(const Ints& a, const Ints& b) {
  return each<Ints>([&](int i) { return vaddq_s32(a.v[i], b.v[i]); });
}
inline Floats to_floats(const Ints& x) {
  return each<Floats>([&](int i) { return vcvtq_f32_s32(x.v[i]); });
}

inline Bytes load_bytes(const uint8_t* p) {
  return each<Bytes>([&](int i) { return vld1q_u8(p + 16 * i); });
}
inline Bytes low_nibbles(const Bytes& x) {
  return each<Bytes>([&](int i) { return vandq_u8(x.v[i], vdupq_n_u8(15)); });
}
inline Bytes high_nibbles(const Bytes& x) {
  return each<Bytes>([&](int i) { return vshrq_n_u8(x.v[i], 4); });
}

/** Bytes of the high nibbles of `upper` and the low ones of `lower`. */
inline Bytes join_first(const Bytes& upper, const Bytes& lower) {
  return each<Bytes>([&](int i) { return vbslq_u8(vdupq_n_u8(15), lower.v[i], upper.v[i]); });
}
/** Bytes of the low nibbles of `upper` and the high ones of `lower`. */
inline Bytes join_second(const Bytes& upper, const Bytes& lower) {
  return each<Bytes>([&](int i) { return vsliq_n_u8(vshrq_n_u8(lower.v[i], 4), upper.v[i], 4); });
}

/** x | bits FROM .. FROM + COUNT - 1 of each byte of `plane`, moved to bit 4. */
template <int FROM, int COUNT>
inline Bytes with_high_bits(const Bytes& x, const Bytes& plane) {
  const uint8x16_t mask = vdupq_n_u8(((1 << COUNT) - 1) << 4);
  return each<Bytes>(
      [&](int i) { return vorrq_u8(x.v[i], vandq_u8(vshlq_u8(plane.v[i], vdupq_n_s8(4 - FROM)), mask)); });
}

/** sum + x's bytes 4 · lane .. 4 · lane + 3 times the 4 quants of each row. */
inline int32x4_t dot_lane(int32x4_t sum, int8x16_t quants, int8x16_t x, size_t lane) {
  switch (lane) {  // the instruction has it as a constant
    case 0:
      return vdotq_laneq_s32(sum, quants, x, 0);
    case 1:
      return vdotq_laneq_s32(sum, quants, x, 1);
    case 2:
      return vdotq_laneq_s32(sum, quants, x, 2);
    default:
      return vdotq_laneq_s32(sum, quants, x, 3);
  }
}

/** sum + the 4 quants of each row (less 128 if they have 8 bits) times x[4i .. 4i + 3]; x has a multiple of 16 bytes. */
template <int BITS>
inline Ints dot(const Ints& sum, const Bytes& quants, const int8_t* x, size_t i) {
  const int8x16_t x16 = vld1q_s8(x + i / 4 * 16);
  return each<Ints>([&](int j) {
    const uint8x16_t bytes = BITS == 8 ? veorq_u8(quants.v[j], vdupq_n_u8(128)) : quants.v[j];
    return dot_lane(sum.v[j], vreinterpretq_s8_u8(bytes), x16, i % 4);
  });
}

/** Byte J of each lane, less `offset`. */
template <int J>
inline Floats quants_to_floats(const Bytes& x, int offset) {
  return each<Floats>([&](int i) {
    const uint32x4_t byte = vandq_u32(vshlq_u32(vreinterpretq_u32_u8(x.v[i]), vdupq_n_s32(-8 * J)), vdupq_n_u32(255));
    return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(byte), vdupq_n_s32(offset)));
  });
}

}  // namespace gemma::GEMMA_ISA
