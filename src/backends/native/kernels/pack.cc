// Stored rows to panels (form.h).
#include "kernels.h"
#include "kernels/split.h"
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

void pack_bf16_panel(const PackArgs& args, const uint8_t* source, size_t rows, uint8_t* panel) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t k = 0; k < args.columns; k++) {
      std::memcpy(panel + bf16_at(k, row) * 2, source + row * args.row_bytes + k * 2, 2);
    }
  }
}

/** Writes the quants of group `g` of 16 rows: each row puts its 4 bytes into every vector of 64. */
template <Form FORM>
void pack_quants(const Block* blocks, size_t g, uint8_t* out) {
  constexpr QuantForm F = quant_form(FORM);
  constexpr size_t PAIRS = F.group / 8;  // of quant vectors
  for (size_t row = 0; row < PANEL_ROWS; row++) {
    const uint8_t* const quants = blocks[row].quants + g * F.group;
    uint32_t words[F.quant_bytes() / 64] = {};
    for (size_t j = 0; j < PAIRS; j++) {
      const uint64_t pair = load_as<uint64_t>(quants + 8 * j);  // vectors 2j and 2j + 1
      if constexpr (F.bits == 8) {
        words[2 * j] = static_cast<uint32_t>(pair);
        words[2 * j + 1] = static_cast<uint32_t>(pair >> 32);
        continue;
      }
      const uint64_t low = pair & 0x0f0f0f0f0f0f0f0f;
      words[j] = static_cast<uint32_t>(low | low >> 28);
      constexpr int HIGH = F.bits - 4;  // bits above a nibble
      if constexpr (HIGH > 0) {
        const uint64_t high = pair >> 4 & (HIGH == 1 ? 0x0101010101010101 : 0x0303030303030303);
        const size_t at = HIGH * 2 * j;  // bit of the plane's first byte, counted through all planes
        words[PAIRS + at / 8] |= static_cast<uint32_t>(high) << at % 8 | static_cast<uint32_t>(high >> 32)
                                                                             << (at % 8 + HIGH);
      }
    }
    for (size_t v = 0; v < F.quant_bytes() / 64; v++) std::memcpy(out + v * 64 + row * 4, &words[v], 4);
  }
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
  } else if constexpr (DTYPE == StoredDtype::F16) {
    pack_dense_panel<uint16_t>(args, source, rows, panel);
  } else if constexpr (DTYPE == StoredDtype::BF16) {
    pack_bf16_panel(args, source, rows, panel);
  } else {
    pack_quant_panel<DTYPE>(args, source, rows, panel);
  }
}

void pack_split_panel(const PackArgs& args, const uint8_t* source, size_t rows, size_t index) {
  alignas(64) uint8_t panel[MAX_SPLIT_COLUMNS / Q8_GROUP * WHOLE_GROUP];
  pack_quant_panel<StoredDtype::Q8_0>(args, source, rows, panel);
  split_panel(panel, args.columns, args.panels + index * args.panel_bytes,
              args.low + index * lower_panel_bytes(args.columns));
}

}  // namespace

void pack(const PackArgs& args, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    const uint8_t* const source = args.source + i * PANEL_ROWS * args.row_bytes;
    const size_t left = args.rows - i * PANEL_ROWS;
    const size_t rows = left < PANEL_ROWS ? left : PANEL_ROWS;
    if (args.low != nullptr) {
      pack_split_panel(args, source, rows, i);
      continue;
    }
    uint8_t* const panel = args.panels + i * args.panel_bytes;
    switch (args.dtype) {
#define GEMMA_STORED(name, elements, bytes, form)             \
  case StoredDtype::name:                                     \
    pack_panel<StoredDtype::name>(args, source, rows, panel); \
    break;
      GEMMA_STORED_DTYPES(GEMMA_STORED)
#undef GEMMA_STORED
    }
  }
}

}  // namespace gemma::GEMMA_ISA
