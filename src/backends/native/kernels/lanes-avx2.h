// kernels/lanes.h with AVX2: a vector is two registers.
#pragma once

#include <immintrin.h>

namespace gemma::GEMMA_ISA {

struct Floats {
  __m256 a, b;  // rows 0 .. 7, rows 8 .. 15
};
struct Ints {
  __m256i a, b;
};
using Bytes = Ints;

constexpr size_t MAX_TILE = 4;
constexpr bool SIGNED_DOT = false;

inline Floats set(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
inline Floats load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline Floats add(Floats x, Floats y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
inline Floats mul(Floats x, Floats y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
inline Floats absolute(Floats v) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, v.a), _mm256_andnot_ps(sign, v.b)};
}
/** x · y + z */
inline Floats fma(Floats x, Floats y, Floats z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
inline Ints first(size_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), n = _mm256_set1_epi32(static_cast<int>(count));
  return {_mm256_cmpgt_epi32(n, lane), _mm256_cmpgt_epi32(n, _mm256_add_epi32(lane, _mm256_set1_epi32(8)))};
}
inline Floats load_first(const float* p, size_t count) {
  const Ints mask = first(count);
  return {_mm256_maskload_ps(p, mask.a), _mm256_maskload_ps(p + 8, mask.b)};
}
inline void store_first(float* p, Floats v, size_t count) {
  const Ints mask = first(count);
  _mm256_maskstore_ps(p, mask.a, v.a);
  _mm256_maskstore_ps(p + 8, mask.b, v.b);
}

inline __m128i load_128(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m256i load_256(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline Floats load_f16(const uint8_t* p) { return {_mm256_cvtph_ps(load_128(p)), _mm256_cvtph_ps(load_128(p + 16))}; }
/** The first or the second bf16 of 16 pairs. */
inline Floats load_bf16_first(const uint8_t* p) {
  const auto shift = [](__m256i pairs) { return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)); };
  return {shift(load_256(p)), shift(load_256(p + 32))};
}
inline Floats load_bf16_second(const uint8_t* p) {
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xffff0000));
  const auto high = [mask](__m256i pairs) { return _mm256_castsi256_ps(_mm256_and_si256(pairs, mask)); };
  return {high(load_256(p)), high(load_256(p + 32))};
}
inline Floats load_u8(const uint8_t* p) {
  const __m128i v = load_128(p);
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(v)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(v, 8)))};
}
inline Floats load_i8(const uint8_t* p) {
  const __m128i v = load_128(p);
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(v)), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(v, 8)))};
}

inline Ints set_int(int32_t value) { return {_mm256_set1_epi32(value), _mm256_set1_epi32(value)}; }
inline Ints add_ints(Ints x, Ints y) { return {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)}; }
inline Floats to_floats(Ints v) { return {_mm256_cvtepi32_ps(v.a), _mm256_cvtepi32_ps(v.b)}; }

inline Bytes load_bytes(const uint8_t* p) { return {load_256(p), load_256(p + 32)}; }
inline Bytes low_nibbles(Bytes v) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(v.a, mask), _mm256_and_si256(v.b, mask)};
}
inline Bytes high_nibbles(Bytes v) { return low_nibbles({_mm256_srli_epi16(v.a, 4), _mm256_srli_epi16(v.b, 4)}); }

/** Bytes of the high nibbles of `upper` and the low ones of `lower`. */
inline Bytes join_first(Bytes upper, Bytes lower) {
  const __m256i low = _mm256_set1_epi8(15);
  const auto join = [low](__m256i high, __m256i rest) {
    return _mm256_or_si256(_mm256_andnot_si256(low, high), _mm256_and_si256(low, rest));
  };
  return {join(upper.a, lower.a), join(upper.b, lower.b)};
}
/** Bytes of the low nibbles of `upper` and the high ones of `lower`. */
inline Bytes join_second(Bytes upper, Bytes lower) {
  return join_first({_mm256_slli_epi16(upper.a, 4), _mm256_slli_epi16(upper.b, 4)},
                    {_mm256_srli_epi16(lower.a, 4), _mm256_srli_epi16(lower.b, 4)});
}

/** v | bits FROM .. FROM + COUNT - 1 of each byte of `plane`, moved to bit 4. */
template <int FROM, int COUNT>
inline Bytes with_high_bits(Bytes v, Bytes plane) {
  const __m256i mask = _mm256_set1_epi8(((1 << COUNT) - 1) << 4);
  const auto move = [mask](__m256i v) {
    return _mm256_and_si256(
        FROM < 4 ? _mm256_slli_epi16(v, FROM < 4 ? 4 - FROM : 0) : _mm256_srli_epi16(v, FROM < 4 ? 0 : FROM - 4), mask);
  };
  return {_mm256_or_si256(v.a, move(plane.a)), _mm256_or_si256(v.b, move(plane.b))};
}

#if defined(__AVXVNNI__)
/** sum + the 4 quants of each row times the 4 signed bytes of `x`. BITS: of the quants. */
template <int BITS>
inline Ints dot(Ints sum, Bytes quants, int32_t x) {
  const __m256i x4 = _mm256_set1_epi32(x);
  return {_mm256_dpbusd_avx_epi32(sum.a, quants.a, x4), _mm256_dpbusd_avx_epi32(sum.b, quants.b, x4)};
}
#endif

/** Byte J of each lane, less `offset`. */
template <int J>
inline Floats quants_to_floats(Bytes v, int offset) {
  const auto convert = [offset](__m256i v) {
    const __m256i byte = _mm256_and_si256(_mm256_srli_epi32(v, 8 * J), _mm256_set1_epi32(255));
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(byte, _mm256_set1_epi32(offset)));
  };
  return {convert(v.a), convert(v.b)};
}

}  // namespace gemma::GEMMA_ISA
