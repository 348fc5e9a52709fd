// kernels/lanes.h with AVX-512: a vector is a register.
#pragma once

#include <immintrin.h>

#if !defined(__clang__)
// GCC 12 holds its own AVX-512 functions to read uninitialised values.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace gemma::GEMMA_ISA {

using Floats = __m512;
using Ints = __m512i;
using Bytes = __m512i;

constexpr size_t MAX_TILE = 8;
constexpr bool SIGNED_DOT = false;

inline Floats set(float value) { return _mm512_set1_ps(value); }
inline Floats load(const float* p) { return _mm512_loadu_ps(p); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats absolute(Floats v) { return _mm512_abs_ps(v); }
/** a · b + c */
inline Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline __mmask16 first(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
inline Floats load_first(const float* p, size_t count) { return _mm512_maskz_loadu_ps(first(count), p); }
inline void store_first(float* p, Floats v, size_t count) { _mm512_mask_storeu_ps(p, first(count), v); }

inline Floats load_f16(const uint8_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
/** The first or the second bf16 of 16 pairs. */
inline Floats load_bf16_first(const uint8_t* p) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
}
inline Floats load_bf16_second(const uint8_t* p) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}
inline Floats load_u8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Floats load_i8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}

inline Ints set_int(int32_t value) { return _mm512_set1_epi32(value); }
inline Ints add_ints(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
inline Floats to_floats(Ints v) { return _mm512_cvtepi32_ps(v); }

inline Bytes load_bytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
inline Bytes low_nibbles(Bytes v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
inline Bytes high_nibbles(Bytes v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15)); }

/** Bytes of the high nibbles of `upper` and the low ones of `lower`. */
inline Bytes join_first(Bytes upper, Bytes lower) {
  return _mm512_ternarylogic_epi32(_mm512_set1_epi8(15), lower, upper, 0xca);  // mask ? lower : upper
}
/** Bytes of the low nibbles of `upper` and the high ones of `lower`. */
inline Bytes join_second(Bytes upper, Bytes lower) {
  return join_first(_mm512_slli_epi16(upper, 4), _mm512_srli_epi16(lower, 4));
}

/** v | bits FROM .. FROM + COUNT - 1 of each byte of `plane`, moved to bit 4. */
template <int FROM, int COUNT>
inline Bytes with_high_bits(Bytes v, Bytes plane) {
  const Bytes mask = _mm512_set1_epi8(((1 << COUNT) - 1) << 4);
  const Bytes moved =
      FROM < 4 ? _mm512_slli_epi16(plane, FROM < 4 ? 4 - FROM : 0) : _mm512_srli_epi16(plane, FROM < 4 ? 0 : FROM - 4);
  return _mm512_ternarylogic_epi32(v, moved, mask, 0xf8);  // v | (moved & mask)
}

/** sum + the 4 quants of each row times the 4 signed bytes of `x`. BITS: of the quants. */
template <int BITS>
inline Ints dot(Ints sum, Bytes quants, int32_t x) {
  return _mm512_dpbusd_epi32(sum, quants, _mm512_set1_epi32(x));
}

/** Byte J of each lane, less `offset`. */
template <int J>
inline Floats quants_to_floats(Bytes v, int offset) {
  const __m512i byte = _mm512_and_si512(_mm512_srli_epi32(v, 8 * J), _mm512_set1_epi32(255));
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(byte, _mm512_set1_epi32(offset)));
}

}  // namespace gemma::GEMMA_ISA
