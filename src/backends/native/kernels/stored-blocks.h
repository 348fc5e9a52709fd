// One block of each quantised type on disk, taken apart: unsigned quants in order of k, and scales.
// Layouts: ggml/src/ggml-common.h and the dequantize_row functions of ggml/src/ggml-quants.c (ggml v0.9).
// value = (quant - offset) · scale + min, with the offset of the type's packed form (form.h).
#pragma once

#include "kernels/half.h"
#include "stored.h"

namespace gemma::GEMMA_ISA {

struct Block {
  uint8_t quants[SUPER_BLOCK];
  uint16_t scale;    // f16: the scale, or d of two levels
  uint16_t min;      // f16: the minimum, or dmin
  float scale_f32;   // MXFP4's scale
  uint8_t subs[16];  // two levels: sub-scale of each group (i8 where signed)
  uint8_t submins[16];
};

/** COUNT bytes to twice as many values: low nibbles first, then high ones. Eight at a time, which GCC does not find. */
template <int COUNT = 16>
inline void split_nibbles(const uint8_t* bytes, uint8_t* quants) {
  for (int i = 0; i < COUNT; i += 8) {
    const uint64_t pairs = load_as<uint64_t>(bytes + i);
    const uint64_t low = pairs & 0x0f0f0f0f0f0f0f0f, high = pairs >> 4 & 0x0f0f0f0f0f0f0f0f;
    std::memcpy(quants + i, &low, 8);
    std::memcpy(quants + COUNT + i, &high, 8);
  }
}

/** Bit i of an index in bit 4 of byte i. */
constexpr uint32_t FIFTH_BITS[16] = {0x00000000, 0x00000010, 0x00001000, 0x00001010, 0x00100000, 0x00100010,
                                     0x00101000, 0x00101010, 0x10000000, 0x10000010, 0x10001000, 0x10001010,
                                     0x10100000, 0x10100010, 0x10101000, 0x10101010};

inline void add_fifth_bits(const uint8_t* bits, uint8_t* quants) {
  for (int i = 0; i < 4; i++) {
    const uint64_t eight = FIFTH_BITS[bits[i] & 15] | uint64_t{FIFTH_BITS[bits[i] >> 4]} << 32;
    const uint64_t sum = load_as<uint64_t>(quants + 8 * i) | eight;
    std::memcpy(quants + 8 * i, &sum, 8);
  }
}

/** Q4_K and Q5_K: eight 6-bit scales and eight 6-bit minimums in 12 bytes. */
inline void unpack_scales_k4(const uint8_t* s, Block& block) {
  for (int i = 0; i < 4; i++) {
    block.subs[i] = s[i] & 63;
    block.submins[i] = s[i + 4] & 63;
    block.subs[i + 4] = (s[i + 8] & 15) | s[i] >> 6 << 4;
    block.submins[i + 4] = s[i + 8] >> 4 | s[i + 4] >> 6 << 4;
  }
}

/** Levels of IQ4_NL and IQ4_XS (kvalues_iq4nl), plus the offset 128. */
constexpr uint8_t IQ4_LEVELS[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
/** Twice the values of FP4 E2M1, plus the offset 128. */
constexpr uint8_t FP4_LEVELS[16] = {128, 129, 130, 131, 132, 134, 136, 140, 128, 127, 126, 125, 124, 122, 120, 116};

inline void look_up_nibbles(const uint8_t* bytes, const uint8_t* levels, uint8_t* quants) {
  for (int i = 0; i < 16; i++) {
    quants[i] = levels[bytes[i] & 15];
    quants[i + 16] = levels[bytes[i] >> 4];
  }
}

template <StoredDtype>
void unpack_block(const uint8_t* p, Block& block);

template <>
inline void unpack_block<StoredDtype::Q4_0>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  split_nibbles(p + 2, block.quants);
}

template <>
inline void unpack_block<StoredDtype::Q4_1>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  block.min = load_as<uint16_t>(p + 2);
  split_nibbles(p + 4, block.quants);
}

template <>
inline void unpack_block<StoredDtype::Q5_0>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  split_nibbles(p + 6, block.quants);
  add_fifth_bits(p + 2, block.quants);
}

template <>
inline void unpack_block<StoredDtype::Q5_1>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  block.min = load_as<uint16_t>(p + 2);
  split_nibbles(p + 8, block.quants);
  add_fifth_bits(p + 4, block.quants);
}

template <>
inline void unpack_block<StoredDtype::Q8_0>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  for (int i = 0; i < 32; i++) block.quants[i] = p[2 + i] ^ 0x80;  // int8 + 128
}

template <>
inline void unpack_block<StoredDtype::IQ4_NL>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  look_up_nibbles(p + 2, IQ4_LEVELS, block.quants);
}

template <>
inline void unpack_block<StoredDtype::MXFP4>(const uint8_t* p, Block& block) {
  // Half of 2^(e - 127), as the levels are doubled; the two smallest are subnormal.
  block.scale_f32 = float_of_bits(p[0] < 2 ? 0x00200000u << p[0] : uint32_t(p[0] - 1) << 23);
  look_up_nibbles(p + 1, FP4_LEVELS, block.quants);
}

// In Q2_K and Q3_K byte l of half n holds elements 128n + 32j + l in its bits 2j, 2j + 1.
inline void split_two_bits(const uint8_t* __restrict bytes, uint8_t* __restrict quants) {
  for (int n = 0; n < 2; n++) {
    for (int j = 0; j < 4; j++) {
      for (int l = 0; l < 32; l++) quants[128 * n + 32 * j + l] = bytes[32 * n + l] >> 2 * j & 3;
    }
  }
}

template <>
inline void unpack_block<StoredDtype::Q2_K>(const uint8_t* p, Block& block) {
  for (int i = 0; i < 16; i++) {
    block.subs[i] = p[i] & 15;
    block.submins[i] = p[i] >> 4;
  }
  split_two_bits(p + 16, block.quants);
  block.scale = load_as<uint16_t>(p + 80);
  block.min = load_as<uint16_t>(p + 82);
}

template <>
inline void unpack_block<StoredDtype::Q3_K>(const uint8_t* p, Block& block) {
  split_two_bits(p + 32, block.quants);
  for (int j = 0; j < 8; j++) {
    for (int l = 0; l < 32; l++) block.quants[32 * j + l] |= (p[l] >> j & 1) << 2;
  }
  const uint8_t* const s = p + 96;
  for (int i = 0; i < 16; i++) {
    const int low = i < 8 ? s[i] & 15 : s[i - 8] >> 4, high = s[8 + i % 4] >> 2 * (i / 4) & 3;
    block.subs[i] = static_cast<uint8_t>((low | high << 4) - 32);
  }
  block.scale = load_as<uint16_t>(p + 108);
}

template <>
inline void unpack_block<StoredDtype::Q4_K>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  block.min = load_as<uint16_t>(p + 2);
  unpack_scales_k4(p + 4, block);
  for (int j = 0; j < 4; j++) split_nibbles<32>(p + 16 + 32 * j, block.quants + 64 * j);
}

template <>
inline void unpack_block<StoredDtype::Q5_K>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  block.min = load_as<uint16_t>(p + 2);
  unpack_scales_k4(p + 4, block);
  for (int j = 0; j < 4; j++) split_nibbles<32>(p + 48 + 32 * j, block.quants + 64 * j);
  for (int j = 0; j < 8; j++) {
    for (int l = 0; l < 32; l++) block.quants[32 * j + l] |= (p[16 + l] >> j & 1) << 4;
  }
}

template <>
inline void unpack_block<StoredDtype::Q6_K>(const uint8_t* p, Block& block) {
  for (int n = 0; n < 2; n++) {
    uint8_t* const quants = block.quants + 128 * n;
    split_nibbles<64>(p + 64 * n, quants);
    for (int j = 0; j < 4; j++) {
      for (int l = 0; l < 32; l++) quants[32 * j + l] |= (p[128 + 32 * n + l] >> 2 * j & 3) << 4;
    }
  }
  for (int i = 0; i < 16; i++) block.subs[i] = p[192 + i];
  block.scale = load_as<uint16_t>(p + 208);
}

template <>
inline void unpack_block<StoredDtype::IQ4_XS>(const uint8_t* p, Block& block) {
  block.scale = load_as<uint16_t>(p);
  const uint16_t high = load_as<uint16_t>(p + 2);
  for (int i = 0; i < 8; i++) {
    const int low = p[4 + i / 2] >> 4 * (i % 2) & 15;
    block.subs[i] = static_cast<uint8_t>((low | (high >> 2 * i & 3) << 4) - 32);
    look_up_nibbles(p + 8 + 16 * i, IQ4_LEVELS, block.quants + 32 * i);
  }
}

}  // namespace gemma::GEMMA_ISA
