// Vectors as panels need them: one lane per output row, 16 of them, whatever the instruction set's own width.
//
//     Floats, Ints   16 × f32, 16 × i32
//     Bytes          64 bytes: 4 consecutive k of each of 16 rows
//
// MAX_TILE is how many rows of x a tile multiplies with one unpacked group of weights.
// SIGNED_DOT: `dot` of 8-bit quants subtracts 128 from them itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/half.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include "kernels/lanes-avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "kernels/lanes-avx2.h"
#elif defined(__ARM_FEATURE_DOTPROD)
#include "kernels/lanes-neon.h"
#else
#include "kernels/lanes-scalar.h"
#endif

#if defined(__AVX2__) && !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
#include "kernels/dot-group-avx2.h"
#else
#include "kernels/dot-group.h"
#endif
