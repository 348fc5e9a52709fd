import type { StoredWeight } from "../../backend/tensor.js";
import { rowBytes, type StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import type { Gpu } from "./gpu.js";
import { GpuWeight, type WeightPart } from "./memory.js";

// The fields of stored blocks, byte for byte, in planes: weights.wgsl has the other end.

/** Rows that lie interleaved. */
const PANEL = 32;
const SLICE_BYTES = 2 << 20;

/** Elements and bytes of a block's fields, in their order: four bytes and more are read as words. */
const FIELDS: Readonly<Record<StoredDtype, readonly number[]>> = {
  F32: [16], // four elements
  F16: [8],
  BF16: [8],
  Q4_0: [2, 16],
  Q4_1: [4, 16],
  Q5_0: [2, 4, 16],
  Q5_1: [4, 4, 16],
  Q8_0: [2, 32],
  Q2_K: [16, 64, 4],
  Q3_K: [32, 64, 12, 2],
  Q4_K: [4, 12, 128],
  Q5_K: [4, 12, 32, 128],
  Q6_K: [128, 64, 16, 2],
  IQ4_NL: [2, 16],
  IQ4_XS: [4, 4, 128],
  MXFP4: [1, 16],
};

/** Uploads a stored matrix in slices of whole panels, in as many buffers as the device's limits ask for. */
export function makeWeight(gpu: Gpu, stored: StoredWeight, mostBytes: number): GpuWeight {
  const { dtype, shape, name } = stored;
  const [rows, width] = shape;
  const fields = FIELDS[dtype];
  const blockBytes = fields.reduce((sum, bytes) => sum + bytes, 0);
  const blocks = Math.ceil((rowBytes(dtype, 1) * width) / blockBytes);
  const panelBytes = PANEL * blocks * blockBytes;
  const panels = Math.max(1, Math.ceil(rows / PANEL));
  const panelsAPart = Math.floor(mostBytes / panelBytes);
  if (panelsAPart === 0) gpu.buffer(panelBytes, `${PANEL} rows of ${name}`); // throws
  const parts: WeightPart[] = [];
  gpu.device.pushErrorScope("out-of-memory");
  let uploaded: Promise<void>;
  try {
    for (let panel = 0; panel < panels; panel += panelsAPart) {
      const count = Math.min(panelsAPart, panels - panel);
      const buffer = gpu.buffer(count * panelBytes, name);
      const planes: number[] = [0];
      for (const bytes of fields) planes.push(planes.at(-1)! + (count * PANEL * blocks * bytes) / 4);
      const firstRow = panel * PANEL;
      const partRows = Math.min(rows - firstRow, count * PANEL);
      const [a = 0, b = 0, c = 0, d = 0] = planes;
      parts.push({ buffer, firstRow, rows: partRows, planes: [a, b, c, d] });
      uploadPart(gpu, stored, parts.at(-1)!, fields, blocks);
    }
  } catch (error) {
    for (const { buffer } of parts) gpu.release(buffer);
    throw error;
  } finally {
    uploaded = gpu.device.popErrorScope().then((error) => {
      if (error === null) return;
      const bytes = panels * panelBytes;
      throw new GemmaError("ERR_OUT_OF_MEMORY", `webgpu: ${name} needs ${bytes} bytes on the device: ${error.message}`);
    });
    uploaded.catch(() => {}); // `packed` tells
  }
  return new GpuWeight(gpu, dtype, [rows, width], panels * panelBytes, parts, blocks, uploaded);
}

function uploadPart(gpu: Gpu, stored: StoredWeight, part: WeightPart, fields: readonly number[], blocks: number): void {
  const bytesPerRow = rowBytes(stored.dtype, stored.shape[1]);
  const panelBytes = fields.map((bytes) => PANEL * blocks * bytes);
  const panels = Math.ceil(part.rows / PANEL);
  const atOnce = Math.max(1, Math.min(panels, Math.floor(SLICE_BYTES / (PANEL * bytesPerRow))));
  const slices = panelBytes.map((bytes) => new Uint8Array(atOnce * bytes));
  for (let panel = 0; panel < panels; panel += atOnce) {
    const count = Math.min(atOnce, panels - panel);
    const first = panel * PANEL;
    const rows = Math.min(part.rows - first, count * PANEL);
    const bytes = stored.read((part.firstRow + first) * bytesPerRow, rows * bytesPerRow);
    if (bytes.length !== rows * bytesPerRow) {
      const wanted = `${rows * bytesPerRow} bytes of ${stored.name}`;
      throw new GemmaError("ERR_TRUNCATED", `webgpu: read must return ${wanted}, got ${bytes.length}`);
    }
    if (rows < count * PANEL) for (const slice of slices) slice.fill(0);
    let offset = 0;
    for (const [f, field] of fields.entries()) {
      interleave(slices[f]!, bytes, bytesPerRow, rows, blocks, BLOCK_BYTES[stored.dtype], offset, field);
      const at = part.planes[f]! * 4 + panel * panelBytes[f]!;
      gpu.device.queue.writeBuffer(part.buffer, at, slices[f]!, 0, count * panelBytes[f]!);
      offset += field;
    }
  }
}

/** Bytes from one block to the next in a row. */
const BLOCK_BYTES = Object.fromEntries(
  Object.entries(FIELDS).map(([dtype, fields]) => [dtype, fields.reduce((sum, bytes) => sum + bytes, 0)]),
) as Readonly<Record<StoredDtype, number>>;

/** One field of the blocks of some rows: in words, halves or bytes, whichever it consists of. */
function interleave(
  out: Uint8Array,
  bytes: Uint8Array,
  bytesPerRow: number,
  rows: number,
  blocks: number,
  blockBytes: number,
  offset: number,
  field: number,
): void {
  const unit = field % 4 === 0 ? 4 : field % 2 === 0 ? 2 : 1;
  const units = field / unit;
  const words = new Uint32Array(out.buffer);
  const halves = new Uint16Array(out.buffer);
  for (let row = 0; row < rows; row++) {
    const column = Math.floor(row / PANEL) * blocks * units * PANEL + (row % PANEL);
    const end = (row + 1) * bytesPerRow;
    for (let block = 0; block < blocks; block++) {
      const from = row * bytesPerRow + block * blockBytes + offset;
      const to = column + block * units * PANEL;
      for (let j = 0; j < units; j++) {
        const at = from + j * unit;
        if (at + unit > end) {
          // The last block of a row of floats may be a part of one.
          if (unit === 4) words[to + j * PANEL] = at + 2 <= end ? bytes[at]! | (bytes[at + 1]! << 8) : 0;
        } else if (unit === 4) {
          words[to + j * PANEL] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
        } else if (unit === 2) halves[to + j * PANEL] = bytes[at]! | (bytes[at + 1]! << 8);
        else out[to + j * PANEL] = bytes[at]!;
      }
    }
  }
}
