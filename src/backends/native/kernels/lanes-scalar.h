// kernels/lanes.h in plain C++: loops that a compiler can vectorise with whatever the baseline has.
#pragma once

namespace gemma::GEMMA_ISA {

struct Floats {
  float v[16];
};
struct Ints {
  int32_t v[16];
};
struct Bytes {
  uint32_t v[16];
};

constexpr size_t MAX_TILE = 2;
constexpr bool SIGNED_DOT = false;

/** A vector of result(lane). */
template <class Vector, class Result>
inline Vector each(const Result& result) {
  Vector out;
  for (int lane = 0; lane < 16; lane++) out.v[lane] = result(lane);
  return out;
}

inline Floats set(float value) {
  return each<Floats>([&](int) { return value; });
}
inline Floats load(const float* p) {
  return each<Floats>([&](int i) { return p[i]; });
}
inline Floats add(const Floats& a, const Floats& b) {
  return each<Floats>([&](int i) { return a.v[i] + b.v[i]; });
}
inline Floats mul(const Floats& a, const Floats& b) {
  return each<Floats>([&](int i) { return a.v[i] * b.v[i]; });
}
inline Floats absolute(const Floats& a) {
  return each<Floats>([&](int i) { return __builtin_fabsf(a.v[i]); });
}
/** a · b + c, rounded twice: without hardware for it a fused one is a slow library call. */
inline Floats fma(const Floats& a, const Floats& b, const Floats& c) {
  return each<Floats>([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
}
inline Floats load_first(const float* p, size_t count) {
  return each<Floats>([&](int i) { return static_cast<size_t>(i) < count ? p[i] : 0.0f; });
}
inline void store_first(float* p, const Floats& v, size_t count) {
  for (size_t i = 0; i < count; i++) p[i] = v.v[i];
}

inline Floats load_f16(const uint8_t* p) {
  return each<Floats>([&](int i) { return f16_to_f32(load_as<uint16_t>(p + 2 * i)); });
}
/** The first or the second bf16 of 16 pairs. */
inline Floats load_bf16_first(const uint8_t* p) {
  return each<Floats>([&](int i) { return bf16_to_f32(load_as<uint16_t>(p + 4 * i)); });
}
inline Floats load_bf16_second(const uint8_t* p) { return load_bf16_first(p + 2); }
inline Floats load_u8(const uint8_t* p) {
  return each<Floats>([&](int i) { return static_cast<float>(p[i]); });
}
inline Floats load_i8(const uint8_t* p) {
  return each<Floats>([&](int i) { return static_cast<float>(static_cast<int8_t>(p[i])); });
}

inline Ints set_int(int32_t value) {
  return each<Ints>([&](int) { return value; });
}
inline Ints add_ints(const Ints& a, const Ints& b) {
  return each<Ints>([&](int i) { return a.v[i] + b.v[i]; });
}
inline Floats to_floats(const Ints& v) {
  return each<Floats>([&](int i) { return static_cast<float>(v.v[i]); });
}

inline Bytes load_bytes(const uint8_t* p) { return load_as<Bytes>(p); }
inline Bytes low_nibbles(const Bytes& v) {
  return each<Bytes>([&](int i) { return v.v[i] & 0x0f0f0f0fu; });
}
inline Bytes high_nibbles(const Bytes& v) {
  return each<Bytes>([&](int i) { return v.v[i] >> 4 & 0x0f0f0f0fu; });
}

/** Bytes of the high nibbles of `upper` and the low ones of `lower`. */
inline Bytes join_first(const Bytes& upper, const Bytes& lower) {
  return each<Bytes>([&](int i) { return (upper.v[i] & 0xf0f0f0f0u) | (lower.v[i] & 0x0f0f0f0fu); });
}
/** Bytes of the low nibbles of `upper` and the high ones of `lower`. */
inline Bytes join_second(const Bytes& upper, const Bytes& lower) {
  return each<Bytes>([&](int i) { return (upper.v[i] << 4 & 0xf0f0f0f0u) | (lower.v[i] >> 4 & 0x0f0f0f0fu); });
}

/** v | bits FROM .. FROM + COUNT - 1 of each byte of `plane`, moved to bit 4. */
template <int FROM, int COUNT>
inline Bytes with_high_bits(const Bytes& v, const Bytes& plane) {
  constexpr uint32_t MASK = 0x01010101u * ((1 << COUNT) - 1);
  return each<Bytes>([&](int i) { return v.v[i] | (plane.v[i] >> FROM & MASK) << 4; });
}

/** sum + the 4 quants of each row times the 4 signed bytes of `x`. BITS: of the quants. */
template <int BITS>
inline Ints dot(const Ints& sum, const Bytes& quants, int32_t x) {
  const int32_t x0 = static_cast<int8_t>(x), x1 = static_cast<int8_t>(x >> 8), x2 = static_cast<int8_t>(x >> 16),
                x3 = x >> 24;
  return each<Ints>([&](int i) {
    const uint32_t q = quants.v[i];
    const auto byte = [q](int j) { return static_cast<int32_t>(q >> 8 * j & 255); };
    return sum.v[i] + byte(0) * x0 + byte(1) * x1 + byte(2) * x2 + byte(3) * x3;
  });
}

/** Byte J of each lane, less `offset`. */
template <int J>
inline Floats quants_to_floats(const Bytes& v, int offset) {
  return each<Floats>([&](int i) { return static_cast<float>(static_cast<int>(v.v[i] >> 8 * J & 255) - offset); });
}

}  // namespace gemma::GEMMA_ISA
