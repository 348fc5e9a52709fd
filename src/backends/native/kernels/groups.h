// Reading groups of weights out of a panel (form.h).
#pragma once

#include <utility>

#include "form.h"
#include "kernels/lanes.h"

namespace gemma::GEMMA_ISA {

/** Where group `g` of a panel lies. */
template <Form FORM>
struct Group {
  static constexpr QuantForm F = quant_form(FORM);
  static constexpr size_t VECTORS = F.group / 4;
  static constexpr size_t GROUPS = SUPER_BLOCK / F.group;  // that share two-level scales

  const uint8_t* header;  // two levels only
  const uint8_t* quants;
  const uint8_t* subs;  // two levels only

  Group(const uint8_t* panel, size_t g) {
    if constexpr (F.two_level()) {
      header = panel + g / GROUPS * (F.header_bytes() + GROUPS * F.group_bytes());
      quants = header + F.header_bytes() + g % GROUPS * F.group_bytes();
      subs = header + (F.has_min ? 4 : 2) * PANEL_ROWS + g % GROUPS * PANEL_ROWS;
    } else {
      quants = panel + g * F.group_bytes();
      header = subs = nullptr;
    }
  }

  Floats scale() const {
    if constexpr (F.scales == Scales::f32) return load(reinterpret_cast<const float*>(quants + F.quant_bytes()));
    if constexpr (F.scales == Scales::f16) return load_f16(quants + F.quant_bytes());
    if constexpr (F.scales == Scales::two_u8) return mul(load_f16(header), load_u8(subs));
    if constexpr (F.scales == Scales::two_i8) return mul(load_f16(header), load_i8(subs));
  }

  Floats min() const {
    if constexpr (!F.two_level()) return load_f16(quants + F.quant_bytes() + F.scale_bytes());
    const Floats minus_one = set(-1);
    return mul(mul(load_f16(header + 2 * PANEL_ROWS), minus_one), load_u8(subs + GROUPS * PANEL_ROWS));
  }

  /** The quants, one per byte: vector i holds k = 4i .. 4i + 3. */
  void unpack(Bytes* out) const { unpack(out, std::make_index_sequence<VECTORS>()); }

 private:
  template <size_t... I>
  void unpack(Bytes* out, std::index_sequence<I...>) const {
    ((out[I] = vector<I>()), ...);
  }

  template <size_t I>
  Bytes vector() const {
    if constexpr (F.bits == 8) {
      return load_bytes(quants + I * 64);
    } else {
      const Bytes pair = load_bytes(quants + I / 2 * 64);
      const Bytes low = I % 2 == 0 ? low_nibbles(pair) : high_nibbles(pair);
      const uint8_t* const planes = quants + VECTORS / 2 * 64;
      if constexpr (F.bits == 5) return with_high_bits<I, 1>(low, load_bytes(planes));
      if constexpr (F.bits == 6) return with_high_bits<2 * (I % 4), 2>(low, load_bytes(planes + I / 4 * 64));
      return low;
    }
  }
};

}  // namespace gemma::GEMMA_ISA
