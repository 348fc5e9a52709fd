// Stored rows to panels (form.h).
#include "kernels.h"
#include "kernels/stored-blocks.h"

namespace gemma::GEMMA_ISA {
namespace {

template <class Element>
void pack_dense_panel(const PackArgs& args, const uint8_t* source, size_t rows, uint8_t* panel) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t k = 0; k < args.columns; k++) {
      std::memcpy(panel + (k * PANEL_ROWS + row) * sizeof(Element), source + row * args.row_bytes + k * sizeof(Element),
                  sizeof(Element));
    }
  }
}

/** Writes the quants of group `g` of 16 rows. */
template <Form FORM>
void pack_quants(const Block* blocks, size_t g, uint8_t* out) {
  constexpr QuantForm F = quant_form(FORM);
  constexpr size_t VECTORS = F.group / 4;
  uint32_t words[VECTORS][PANEL_ROWS];  // 4 quants each
  for (size_t row = 0; row < PANEL_ROWS; row++) {
    for (size_t i = 0; i < VECTORS; i++) words[i][row] = load_as<uint32_t>(blocks[row].quants + g * F.group + 4 * i);
  }
  if constexpr (F.bits == 8) {
    std::memcpy(out, words, sizeof words);
    return;
  }
  uint32_t packed[F.quant_bytes() / 64][PANEL_ROWS] = {};
  for (size_t i = 0; i < VECTORS; i++) {
    for (size_t row = 0; row < PANEL_ROWS; row++) {
      const uint32_t word = words[i][row];
      packed[i / 2][row] |= (word & 0x0f0f0f0f) << 4 * (i % 2);
      if constexpr (F.bits == 5) packed[VECTORS / 2][row] |= (word >> 4 & 0x01010101) << i;
      if constexpr (F.bits == 6) packed[VECTORS / 2 + i / 4][row] |= (word >> 4 & 0x03030303) << 2 * (i % 4);
    }
  }
  std::memcpy(out, packed, sizeof packed);
}

/** Writes what precedes a block of two-level scales. Returns the byte behind it. */
template <Form FORM>
uint8_t* pack_header(const Block* blocks, uint8_t* out) {
  constexpr QuantForm F = quant_form(FORM);
  constexpr size_t GROUPS = SUPER_BLOCK / F.group;
  for (size_t row = 0; row < PANEL_ROWS; row++) std::memcpy(out + 2 * row, &blocks[row].scale, 2);
  out += 2 * PANEL_ROWS;
  if constexpr (F.has_min) {
    for (size_t row = 0; row < PANEL_ROWS; row++) std::memcpy(out + 2 * row, &blocks[row].min, 2);
    out += 2 * PANEL_ROWS;
  }
  for (size_t g = 0; g < GROUPS; g++, out += PANEL_ROWS) {
    for (size_t row = 0; row < PANEL_ROWS; row++) out[row] = blocks[row].subs[g];
  }
  if constexpr (F.has_min) {
    for (size_t g = 0; g < GROUPS; g++, out += PANEL_ROWS) {
      for (size_t row = 0; row < PANEL_ROWS; row++) out[row] = blocks[row].submins[g];
    }
  }
  return out;
}

/** Writes one-level scales. Returns the byte behind them. */
template <Form FORM>
uint8_t* pack_scales(const Block* blocks, uint8_t* out) {
  constexpr QuantForm F = quant_form(FORM);
  for (size_t row = 0; row < PANEL_ROWS; row++) {
    if constexpr (F.scales == Scales::f32) std::memcpy(out + 4 * row, &blocks[row].scale_f32, 4);
    if constexpr (F.scales == Scales::f16) std::memcpy(out + 2 * row, &blocks[row].scale, 2);
  }
  out += F.scale_bytes();
  if constexpr (F.has_min && !F.two_level()) {
    for (size_t row = 0; row < PANEL_ROWS; row++) std::memcpy(out + 2 * row, &blocks[row].min, 2);
    out += F.scale_bytes();
  }
  return out;
}

template <StoredDtype DTYPE>
void pack_quant_panel(const PackArgs& args, const uint8_t* source, size_t rows, uint8_t* panel) {
  constexpr StoredFormat STORED = stored_format(DTYPE);
  constexpr QuantForm F = quant_form(STORED.form);
  Block blocks[PANEL_ROWS] = {};  // rows that the matrix does not have keep scale zero
  for (size_t b = 0; b < args.columns / STORED.block_elements; b++) {
    for (size_t row = 0; row < rows; row++) {
      unpack_block<DTYPE>(source + row * args.row_bytes + b * STORED.block_bytes, blocks[row]);
    }
    if constexpr (F.two_level()) panel = pack_header<STORED.form>(blocks, panel);
    for (size_t g = 0; g < STORED.block_elements / F.group; g++) {
      pack_quants<STORED.form>(blocks, g, panel);
      panel = pack_scales<STORED.form>(blocks, panel + F.quant_bytes());
    }
  }
}

template <StoredDtype DTYPE>
void pack_panel(const PackArgs& args, const uint8_t* source, size_t rows, uint8_t* panel) {
  if constexpr (DTYPE == StoredDtype::F32) {
    pack_dense_panel<uint32_t>(args, source, rows, panel);
  } else if constexpr (DTYPE == StoredDtype::F16 || DTYPE == StoredDtype::BF16) {
    pack_dense_panel<uint16_t>(args, source, rows, panel);
  } else {
    pack_quant_panel<DTYPE>(args, source, rows, panel);
  }
}

}  // namespace

void pack(const PackArgs& args, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    const uint8_t* const source = args.source + i * PANEL_ROWS * args.row_bytes;
    const size_t left = args.rows - i * PANEL_ROWS;
    const size_t rows = left < PANEL_ROWS ? left : PANEL_ROWS;
    uint8_t* const panel = args.panels + i * args.panel_bytes;
    switch (args.dtype) {
#define GEMMA_STORED(name, elements, bytes, form) \
  case StoredDtype::name:                         \
    pack_panel<StoredDtype::name>(args, source, rows, panel); \
    break;
      GEMMA_STORED_DTYPES(GEMMA_STORED)
#undef GEMMA_STORED
    }
  }
}

}  // namespace gemma::GEMMA_ISA
