// 16 by 16 floats turned over.
#pragma once

#include <cstddef>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace gemma::GEMMA_ISA {

/** out[row][k] = in[k][row], 16 of each; strides: distances of two rows. Bits are moved, whatever they mean. */
inline void transpose_16(const float* in, size_t in_stride, float* out, size_t stride) {
#if defined(__AVX512F__)
  __m512 a[16], b[16];
  const auto low_pd = [](__m512 x, __m512 y) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)));
  };
  const auto high_pd = [](__m512 x, __m512 y) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)));
  };
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; i++) a[i] = _mm512_loadu_ps(in + in_stride * i);
#pragma GCC unroll 8
  for (size_t i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 16; i += 4) {
    a[i] = low_pd(b[i], b[i + 2]);
    a[i + 1] = high_pd(b[i], b[i + 2]);
    a[i + 2] = low_pd(b[i + 1], b[i + 3]);
    a[i + 3] = high_pd(b[i + 1], b[i + 3]);
  }
  // a[4i + j] holds columns j, 4 + j, 8 + j, 12 + j of rows 4i .. 4i + 3.
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; j++) {
    const __m512 even = _mm512_shuffle_f32x4(a[j], a[4 + j], 0x88), odd = _mm512_shuffle_f32x4(a[j], a[4 + j], 0xdd);
    const __m512 even2 = _mm512_shuffle_f32x4(a[8 + j], a[12 + j], 0x88);
    const __m512 odd2 = _mm512_shuffle_f32x4(a[8 + j], a[12 + j], 0xdd);
    _mm512_storeu_ps(out + j * stride, _mm512_shuffle_f32x4(even, even2, 0x88));
    _mm512_storeu_ps(out + (4 + j) * stride, _mm512_shuffle_f32x4(odd, odd2, 0x88));
    _mm512_storeu_ps(out + (8 + j) * stride, _mm512_shuffle_f32x4(even, even2, 0xdd));
    _mm512_storeu_ps(out + (12 + j) * stride, _mm512_shuffle_f32x4(odd, odd2, 0xdd));
  }
#else
  for (size_t row = 0; row < 16; row++) {
    for (size_t k = 0; k < 16; k++) out[row * stride + k] = in[k * in_stride + row];
  }
#endif
}

}  // namespace gemma::GEMMA_ISA
