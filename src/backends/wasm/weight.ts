import type { StoredWeight, WeightOptions } from "../../backend/tensor.js";
import { BLOCK_SIZES, rowBytes, STORED_DTYPES } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import { FORMS, headBytes, lowBytes, panelBytes, quantBytes, unitBytes } from "./forms.js";
import {
  K_PACK,
  K_ROUND,
  PANEL_ROWS,
  W_BITS,
  W_BYTES,
  W_COLUMNS,
  W_DTYPE,
  W_GROUP,
  W_HAS_MIN,
  W_HEAD_BYTES,
  W_IS_IRREGULAR,
  W_LOW,
  W_OFFSET,
  W_PANEL_BYTES,
  W_PANELS,
  W_QUANT_BYTES,
  W_ROWS,
  W_SCALE_KIND,
  W_UNIT_BYTES,
} from "./layout.js";
import type { Machine } from "./machine.js";
import { WasmWeight } from "./memory.js";

const SLICE_BYTES = 1 << 20;
const ROUND_GRAIN = 16_384; // elements

/** Reads a stored matrix in slices into wasm memory and packs them there. One to be screened is split, where it has 8 bits. */
export function makeWeight(
  machine: Machine,
  stored: StoredWeight,
  { screened = false }: WeightOptions = {},
): WasmWeight {
  machine.expectAlive();
  const { dtype, shape } = stored;
  const [rows, columns] = shape;
  const form = FORMS[dtype];
  const panels = Math.ceil(rows / PANEL_ROWS);
  const isSplit = screened && dtype === "Q8_0";
  const distance = panelBytes(form, columns, isSplit);
  const sizeBytes = panels * (distance + (isSplit ? lowBytes(columns) : 0));
  const address = machine.allocator.allocate(W_BYTES + sizeBytes);
  const fields = machine.integers(address, W_BYTES / 4);
  fields[W_PANELS / 4] = address + W_BYTES;
  fields[W_ROWS / 4] = rows;
  fields[W_COLUMNS / 4] = columns;
  fields[W_PANEL_BYTES / 4] = distance;
  fields[W_BITS / 4] = form.bits;
  fields[W_GROUP / 4] = form.group;
  fields[W_HAS_MIN / 4] = form.hasMin ? 1 : 0;
  fields[W_OFFSET / 4] = form.offset;
  fields[W_UNIT_BYTES / 4] = unitBytes(form, isSplit);
  fields[W_QUANT_BYTES / 4] = quantBytes(form, isSplit);
  fields[W_LOW / 4] = isSplit ? address + W_BYTES + panels * distance : 0;
  fields[W_HEAD_BYTES / 4] = headBytes(form);
  fields[W_SCALE_KIND / 4] = form.scaleKind;
  fields[W_DTYPE / 4] = STORED_DTYPES.indexOf(dtype);
  fields[W_IS_IRREGULAR / 4] = 0; // packing tells
  try {
    packSlices(machine, address, stored);
  } catch (error) {
    machine.allocator.free(address);
    throw error;
  }
  return new WasmWeight(machine, dtype, [rows, columns], sizeBytes, isSplit, address, panels, form.bits > 0);
}

function packSlices(machine: Machine, weight: number, stored: StoredWeight): void {
  const [rows, columns] = stored.shape;
  const block = BLOCK_SIZES[stored.dtype];
  const bytesPerRow = rowBytes(stored.dtype, columns);
  const rowsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / bytesPerRow / PANEL_ROWS)) * PANEL_ROWS;
  for (let row = 0; row < rows; row += rowsPerSlice) {
    const count = Math.min(rows - row, rowsPerSlice);
    const bytes = stored.read(row * bytesPerRow, count * bytesPerRow);
    if (bytes.length !== count * bytesPerRow) {
      const wanted = `${count * bytesPerRow} bytes of ${stored.name}`;
      throw new GemmaError("ERR_TRUNCATED", `wasm: read must return ${wanted}, got ${bytes.length}`);
    }
    // 16 bytes more: a kernel may load beyond a short block's end.
    const source = machine.buffer("slice", Math.max(SLICE_BYTES, bytes.length) + 16);
    machine.bytes(source, bytes.length).set(bytes);
    const args = [weight, source, row / PANEL_ROWS, bytesPerRow, block.elements, block.bytes];
    machine.run(K_PACK, Math.ceil(count / PANEL_ROWS), 4, args);
  }
}

/** Packs a weight in F32, F16 or BF16 anew from f32 values [N, K] in wasm memory. */
export function repack(machine: Machine, weight: WasmWeight, values: number): void {
  const [rows, columns] = weight.shape;
  const { elements, bytes } = BLOCK_SIZES[weight.dtype];
  const panelsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / (columns * bytes * PANEL_ROWS)));
  for (let panel = 0; panel < weight.panels; panel += panelsPerSlice) {
    const row = panel * PANEL_ROWS;
    const count = Math.min(rows - row, panelsPerSlice * PANEL_ROWS) * columns;
    let source = values + 4 * row * columns;
    if (weight.dtype !== "F32") {
      const rounded = machine.buffer("slice", Math.max(SLICE_BYTES, count * bytes) + 16);
      machine.run(K_ROUND, count, ROUND_GRAIN, [rounded, source, weight.dtype === "F16" ? 1 : 0]);
      source = rounded;
    }
    const args = [weight.address, source, panel, columns * bytes, elements, bytes];
    machine.run(K_PACK, Math.ceil(count / columns / PANEL_ROWS), 4, args);
  }
}
