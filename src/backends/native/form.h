// Packed forms of weights.
//
// A packed matrix [N, K] is a row of panels, each 16 output rows wide (N is padded with zero rows). Inside a panel
// memory runs along k, so that a matrix-vector product reads it linearly and no sum crosses vector lanes.
//
// Dense forms: element [k][16 rows] in its own type, any K; bf16 as pairs of k, [K/2][16 rows][2], an odd K ends in a zero.
// Quantised forms: K is cut into groups of G = 16 or 32. The quants of a group are unsigned (value = (quant - offset) ·
// scale + min) and lie as vectors of 64 bytes: 16 rows × 4 consecutive k. Vector i holds k = 4i .. 4i + 3.
//     8 bit: G/4 vectors
//     4 bit: G/8 vectors; the low nibbles of vector j are the quants of vector 2j, the high ones of 2j + 1
//     5 bit: 4 bit, then one vector (G = 32) whose bit i of a byte is bit 4 of quant vector i
//     6 bit: 4 bit, then G/16 vectors; bits 2(i % 4), 2(i % 4) + 1 of a byte of vector i / 4 are bits 4, 5 of vector i
// One-level scales follow their group's quants: scale[16], then min[16] where there are minimums, all f16 (or f32).
// Two-level scales precede each block of 256 k: d[16] f16, dmin[16] f16 if there are minimums, sub-scales [256/G][16]
// of 8 bits, sub-minimums [256/G][16] if there are any; scale = d · sub-scale, min = -dmin · sub-minimum. Nothing is
// rounded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gemma {

constexpr size_t PANEL_ROWS = 16;
constexpr size_t SUPER_BLOCK = 256;  // K that a two-level scale spans
constexpr size_t X_BLOCK = 32;       // activations that share a scale: a group or two

enum class Scales : uint8_t {
  f16,     // one level
  f32,     // one level
  two_u8,  // two levels, unsigned sub-scales
  two_i8,  // two levels, signed sub-scales
};

// form(name, bits, group, scales, has minimums, offset)
#define GEMMA_QUANT_FORMS(FORM)                   \
  FORM(q4, 4, 32, Scales::f16, false, 8)          \
  FORM(q4_min, 4, 32, Scales::f16, true, 0)       \
  FORM(q5, 5, 32, Scales::f16, false, 16)         \
  FORM(q5_min, 5, 32, Scales::f16, true, 0)       \
  FORM(q8, 8, 32, Scales::f16, false, 128)        \
  FORM(q8_f32, 8, 32, Scales::f32, false, 128)    \
  FORM(q8_two, 8, 32, Scales::two_i8, false, 128) \
  FORM(q4_two, 4, 32, Scales::two_u8, true, 0)    \
  FORM(q5_two, 5, 32, Scales::two_u8, true, 0)    \
  FORM(q6_two, 6, 16, Scales::two_i8, false, 32)  \
  FORM(q3_two, 4, 16, Scales::two_i8, false, 4)   \
  FORM(q2_two, 4, 16, Scales::two_u8, true, 0)

enum class Form : uint8_t {
#define GEMMA_FORM(name, bits, group, scales, min, offset) name,
  GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
      f32,
  f16,
  bf16,
};

struct QuantForm {
  uint8_t bits;
  uint8_t group;
  Scales scales;
  bool has_min;
  uint8_t offset;

  constexpr bool two_level() const { return scales == Scales::two_u8 || scales == Scales::two_i8; }
  /** Bytes of a group's quants. */
  constexpr size_t quant_bytes() const { return size_t{bits} * group * PANEL_ROWS / 8; }
  /** Bytes of one-level scales (or minimums) behind a group. */
  constexpr size_t scale_bytes() const { return two_level() ? 0 : PANEL_ROWS * (scales == Scales::f32 ? 4 : 2); }
  constexpr size_t group_bytes() const { return quant_bytes() + scale_bytes() * (has_min ? 2 : 1); }
  /** Bytes of two-level scales before a block of 256 k. */
  constexpr size_t header_bytes() const {
    return two_level() ? (has_min ? 2 : 1) * PANEL_ROWS * (2 + SUPER_BLOCK / group) : 0;
  }
  constexpr size_t panel_bytes(size_t k) const { return k / group * group_bytes() + k / SUPER_BLOCK * header_bytes(); }
};

constexpr QuantForm QUANT_FORMS[] = {
#define GEMMA_FORM(name, bits, group, scales, min, offset) {bits, group, scales, min, offset},
    GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
};

constexpr bool is_dense(Form form) { return form >= Form::f32; }
constexpr const QuantForm& quant_form(Form form) { return QUANT_FORMS[static_cast<size_t>(form)]; }

constexpr size_t bf16_pairs(size_t k) { return (k + 1) / 2; }

/** Where a panel of bf16 has column k of a row, in elements. */
constexpr size_t bf16_at(size_t k, size_t row) { return (k / 2 * PANEL_ROWS + row) * 2 + k % 2; }

/** Bytes of one panel of K columns. */
constexpr size_t panel_bytes(Form form, size_t k) {
  if (form == Form::bf16) return bf16_pairs(k) * PANEL_ROWS * 4;
  if (is_dense(form)) return k * PANEL_ROWS * (form == Form::f32 ? 4 : 2);
  return quant_form(form).panel_bytes(k);
}

}  // namespace gemma
