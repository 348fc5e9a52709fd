// A vector of f32 lanes for each instruction set, so that a kernel is written once.
//
// The vectors are the compiler's own (GCC and Clang): + - * / and comparisons work lane by lane, and a comparison yields
// a mask for `mask ? a : b`. What the operators cannot say comes as functions below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#if defined(__clang__)
#define GEMMA_UNROLL _Pragma("unroll")
#else
#define GEMMA_UNROLL _Pragma("GCC unroll 16")
// GCC 12 holds its own AVX-512 functions to read uninitialised values.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace gemma::GEMMA_ISA {

#if defined(__AVX512F__)
constexpr size_t LANES = 16;
#elif defined(__AVX2__)
constexpr size_t LANES = 8;
#else
constexpr size_t LANES = 4;  // NEON, and what any x86-64 has
#endif

typedef float F32 __attribute__((vector_size(LANES * 4)));
typedef int32_t I32 __attribute__((vector_size(LANES * 4)));
typedef uint32_t U32 __attribute__((vector_size(LANES * 4)));
typedef uint16_t U16 __attribute__((vector_size(LANES * 2)));
typedef int8_t I8 __attribute__((vector_size(LANES)));

constexpr float INFINITE = std::numeric_limits<float>::infinity();

inline F32 splat(float x) {
#if defined(__AVX512F__)
  return _mm512_set1_ps(x);
#elif defined(__AVX2__)
  return _mm256_set1_ps(x);
#else
  return F32{x, x, x, x};
#endif
}

template <class V, class T>
inline V load_as(const T* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class V, class T>
inline void store_as(T* to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}

inline F32 load(const float* from) { return load_as<F32>(from); }
/** bf16 is the upper half of an f32. */
inline F32 load(const uint16_t* from) {
#if defined(__AVX512F__)
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
#elif defined(__AVX2__)
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
#else
  return (F32)(__builtin_convertvector(load_as<U16>(from), U32) << 16);
#endif
}
inline F32 load(const int8_t* from) {
#if defined(__AVX512F__)
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
#else
  return __builtin_convertvector(__builtin_convertvector(load_as<I8>(from), I32), F32);
#endif
}

inline void store(float* to, F32 v) { store_as(to, v); }

/** The lowest byte of each lane. */
inline void store_bytes(int8_t* to, I32 v) {
#if defined(__AVX512F__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8((__m512i)v));
#elif defined(__AVX2__)
  const __m256i lowest = _mm256_setr_epi8(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12,  //
                                          0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  const __m256i bytes = _mm256_shuffle_epi8((__m256i)v, lowest);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to),
                   _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)));
#else
  store_as(to, __builtin_convertvector(v, I8));
#endif
}

/** The first `count` < LANES elements; the other lanes are 0. */
template <class T>
inline F32 load_partial(const T* from, size_t count) {
  T lanes[LANES] = {};
  __builtin_memcpy(lanes, from, count * sizeof(T));
  return load(lanes);
}

#if defined(__AVX512F__)
inline F32 load_partial(const float* from, size_t count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
}
inline void store_partial(float* to, F32 v, size_t count) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), v);
}
#elif defined(__AVX2__)
inline __m256i lane_mask(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline F32 load_partial(const float* from, size_t count) { return _mm256_maskload_ps(from, lane_mask(count)); }
inline void store_partial(float* to, F32 v, size_t count) { _mm256_maskstore_ps(to, lane_mask(count), v); }
#else
inline void store_partial(float* to, F32 v, size_t count) { __builtin_memcpy(to, &v, count * sizeof(float)); }
#endif

/** a * b + c, rounded once where the instruction set can. */
inline F32 fma(F32 a, F32 b, F32 c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__ARM_NEON)
  return (F32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

/** a > b ? a : b, so b where one of them is NaN. */
inline F32 max(F32 a, F32 b) {
#if defined(__AVX512F__)
  return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

/** a < b ? a : b, so b where one of them is NaN. */
inline F32 min(F32 a, F32 b) {
#if defined(__AVX512F__)
  return _mm512_min_ps(a, b);
#elif defined(__AVX2__)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

/** Sum of the lanes, always in the same order. */
inline double sum(F32 v) {
  double total = 0;
  for (size_t i = 0; i < LANES; i++) total += v[i];
  return total;
}

/** Sum of 16 bytes. */
inline int32_t sum_16(const int8_t* from) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i halves = _mm_sad_epu8(_mm_xor_si128(bytes, _mm_set1_epi8(-128)), _mm_setzero_si128());  // + 128 each
  return _mm_cvtsi128_si32(_mm_add_epi32(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
#elif defined(__ARM_NEON)
  return vaddlvq_s8(vld1q_s8(from));
#else
  int32_t total = 0;
  for (size_t i = 0; i < 16; i++) total += from[i];
  return total;
#endif
}

/** Largest lane; not for NaN. */
inline float largest(F32 v) {
#if defined(__AVX2__)
#if defined(__AVX512F__)
  const __m256 eight = _mm256_max_ps(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                     __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
#else
  const __m256 eight = v;
#endif
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
#else
  float result = v[0];
  for (size_t i = 1; i < LANES; i++) result = v[i] > result ? v[i] : result;
  return result;
#endif
}

inline int32_t largest(I32 v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_epi32((__m512i)v);
#else
  int32_t result = v[0];
  for (size_t i = 1; i < LANES; i++) result = v[i] > result ? v[i] : result;
  return result;
#endif
}

/** exp(x) = power · (1 + fraction): power of two, and expm1 of the rest, |rest| <= ln(2)/2. */
struct ExpParts {
  F32 power;
  F32 fraction;
};

/** For x in -88..88 (below -87.6 the power is 0). Polynomial: Cephes expf, relative error 1e-7. */
inline ExpParts exp_parts(F32 x) {
  const F32 shift = splat(12582912.0f);  // 1.5 · 2^23: adding it rounds to an integer, left in the lowest bits
  const F32 shifted = fma(x, splat(1.44269504f), shift);
  const F32 n = shifted - shift;
  F32 r = fma(n, splat(-0.693359375f), x);  // ln(2) in two parts, the first one exact in n · 355/512
  r = fma(n, splat(2.12194440e-4f), r);
  F32 p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  return {(F32)(((U32)shifted << 23) + (127u << 23)), fma(p, r * r, r)};
}

/** exp(x), clamped to exp(88) above; 0 below -87.6; NaN stays NaN. */
inline F32 exp(F32 x) {
  const ExpParts parts = exp_parts(min(splat(88.0f), max(splat(-88.0f), x)));
  return fma(parts.power, parts.fraction, parts.power);
}

/** tanh(x) = e / (e + 2) with e = expm1(2 |x|), which keeps its relative precision near 0. NaN stays NaN. */
inline F32 tanh(F32 x) {
  const U32 sign = (U32)x & 0x80000000u;
  const ExpParts parts = exp_parts(min(splat(40.0f), (F32)((U32)(x + x) & 0x7fffffffu)));
  const F32 e = fma(parts.power, parts.fraction, parts.power - splat(1.0f));
  return (F32)((U32)(e / (e + splat(2.0f))) | sign);
}

/**
 * out[i] = f(a[i], b[i]) for i in [begin, end); f works on vectors. An element's result does not depend on its lane.
 */
template <class Fn>
inline void map2(float* out, const float* a, const float* b, size_t begin, size_t end, const Fn& f) {
  size_t i = begin;
  for (; i + LANES <= end; i += LANES) store(out + i, f(load(a + i), load(b + i)));
  if (i < end) store_partial(out + i, f(load_partial(a + i, end - i), load_partial(b + i, end - i)), end - i);
}

}  // namespace gemma::GEMMA_ISA
