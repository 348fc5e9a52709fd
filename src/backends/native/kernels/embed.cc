// Rows of a packed table, dequantised exactly: they are read out of the panels that matmul uses.
#include "kernels.h"
#include "kernels/half.h"
#include "kernels/split.h"

namespace gemma::GEMMA_ISA {
namespace {

template <Form FORM>
uint8_t quant_at(const uint8_t* quants, size_t lane, size_t k) {
  constexpr QuantForm F = quant_form(FORM);
  const size_t i = k / 4, byte = lane * 4 + k % 4;  // vector and byte in it
  if constexpr (F.bits == 8) return quants[i * 64 + byte];
  const uint8_t low = quants[i / 2 * 64 + byte] >> 4 * (i % 2) & 15;
  const uint8_t* const high = quants + F.group / 8 * 64;
  if constexpr (F.bits == 5) return low | (high[byte] >> i & 1) << 4;
  if constexpr (F.bits == 6) return low | (high[i / 4 * 64 + byte] >> 2 * (i % 4) & 3) << 4;
  return low;
}

template <Form FORM>
void unpack_row(const uint8_t* panel, size_t lane, size_t columns, float* out) {
  constexpr QuantForm F = quant_form(FORM);
  constexpr size_t GROUPS = SUPER_BLOCK / F.group;
  const auto f16 = [lane](const uint8_t* p) { return f16_to_f32(load_as<uint16_t>(p + 2 * lane)); };
  const uint8_t* header = nullptr;
  for (size_t g = 0; g < columns / F.group; g++) {
    if (F.two_level() && g % GROUPS == 0) {
      header = panel;
      panel += F.header_bytes();
    }
    const uint8_t* const scales = panel + F.quant_bytes();
    float scale = 0, min = 0;
    if constexpr (F.two_level()) {
      const uint8_t* const subs = header + (F.has_min ? 4 : 2) * PANEL_ROWS + g % GROUPS * PANEL_ROWS;
      const uint8_t sub = subs[lane];
      scale = f16(header) * (F.scales == Scales::two_i8 ? static_cast<float>(static_cast<int8_t>(sub)) : sub);
      if constexpr (F.has_min) min = -f16(header + 2 * PANEL_ROWS) * subs[GROUPS * PANEL_ROWS + lane];
    } else {
      scale = F.scales == Scales::f32 ? load_as<float>(scales + 4 * lane) : f16(scales);
      if constexpr (F.has_min) min = f16(scales + F.scale_bytes());
    }
    for (size_t k = 0; k < F.group; k++) {
      const int quant = quant_at<FORM>(panel, lane, k) - F.offset;
      *out++ = static_cast<float>(quant) * scale + min;
    }
    panel += F.group_bytes();
  }
}

void unpack_split_row(const WeightView& table, size_t row, float* out) {
  alignas(64) uint8_t panel[MAX_SPLIT_COLUMNS / Q8_GROUP * WHOLE_GROUP];
  join_panel(table, row / PANEL_ROWS, panel);
  unpack_row<Form::q8>(panel, row % PANEL_ROWS, table.columns, out);
}

void embed_row(const WeightView& table, size_t row, float* out) {
  if (table.low != nullptr) return unpack_split_row(table, row, out);
  const uint8_t* const panel = table.panels + row / PANEL_ROWS * table.panel_bytes;
  const size_t lane = row % PANEL_ROWS;
  switch (table.form) {
    case Form::f32:
      for (size_t k = 0; k < table.columns; k++) out[k] = load_as<float>(panel + (k * PANEL_ROWS + lane) * 4);
      break;
    case Form::f16:
      for (size_t k = 0; k < table.columns; k++) {
        out[k] = f16_to_f32(load_as<uint16_t>(panel + (k * PANEL_ROWS + lane) * 2));
      }
      break;
    case Form::bf16:
      for (size_t k = 0; k < table.columns; k++) {
        out[k] = bf16_to_f32(load_as<uint16_t>(panel + bf16_at(k, lane) * 2));
      }
      break;
#define GEMMA_FORM(name, bits, group, scales, min, offset)   \
  case Form::name:                                           \
    unpack_row<Form::name>(panel, lane, table.columns, out); \
    break;
      GEMMA_QUANT_FORMS(GEMMA_FORM)
#undef GEMMA_FORM
  }
}

}  // namespace

void embed(const EmbedArgs& args, size_t begin, size_t end) {
  const size_t width = args.table.columns;
  for (size_t t = begin; t < end; t++) {
    float* const out = args.out + t * width;
    const int32_t id = args.ids[t];
    if (id < 0 || static_cast<size_t>(id) >= args.table.rows) {
      std::memset(out, 0, width * sizeof(float));
      continue;
    }
    embed_row(args.table, static_cast<size_t>(id), out);
    for (size_t d = 0; d < width; d++) out[d] *= args.scale;
  }
}

}  // namespace gemma::GEMMA_ISA
