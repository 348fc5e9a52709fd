// Types of weights on disk.
#pragma once

#include <cstddef>
#include <cstdint>

#include "form.h"

namespace gemma {

// stored(name as in src/base/dtype.ts, elements of a block, bytes of a block, packed form)
#define GEMMA_STORED_DTYPES(STORED)      \
  STORED(F32, 1, 4, Form::f32)           \
  STORED(F16, 1, 2, Form::f16)           \
  STORED(BF16, 1, 2, Form::bf16)         \
  STORED(Q4_0, 32, 18, Form::q4)         \
  STORED(Q4_1, 32, 20, Form::q4_min)     \
  STORED(Q5_0, 32, 22, Form::q5)         \
  STORED(Q5_1, 32, 24, Form::q5_min)     \
  STORED(Q8_0, 32, 34, Form::q8)         \
  STORED(Q2_K, 256, 84, Form::q2_two)    \
  STORED(Q3_K, 256, 110, Form::q3_two)   \
  STORED(Q4_K, 256, 144, Form::q4_two)   \
  STORED(Q5_K, 256, 176, Form::q5_two)   \
  STORED(Q6_K, 256, 210, Form::q6_two)   \
  STORED(IQ4_NL, 32, 18, Form::q8)       \
  STORED(IQ4_XS, 256, 136, Form::q8_two) \
  STORED(MXFP4, 32, 17, Form::q8_f32)

enum class StoredDtype : uint8_t {
#define GEMMA_STORED(name, elements, bytes, form) name,
  GEMMA_STORED_DTYPES(GEMMA_STORED)
#undef GEMMA_STORED
};

struct StoredFormat {
  const char* name;
  size_t block_elements;
  size_t block_bytes;
  Form form;
};

constexpr StoredFormat STORED_FORMATS[] = {
#define GEMMA_STORED(name, elements, bytes, form) {#name, elements, bytes, form},
    GEMMA_STORED_DTYPES(GEMMA_STORED)
#undef GEMMA_STORED
};

constexpr const StoredFormat& stored_format(StoredDtype dtype) { return STORED_FORMATS[static_cast<size_t>(dtype)]; }

}  // namespace gemma
