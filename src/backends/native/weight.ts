import type { StoredWeight, WeightOptions } from "../../backend/tensor.js";
import { rowBytes } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import type { BackendHandle, NativeAddon, WeightHandle } from "./addon.js";
import { NativeWeight } from "./memory.js";

const SLICE_BYTES = 1 << 20;
const PANEL_ROWS = 16; // rows that are packed together

/** Packs a stored matrix: one in a file on threads in the background, others at once. */
export function makeWeight(
  addon: NativeAddon,
  owner: BackendHandle,
  stored: StoredWeight,
  { screened = false }: WeightOptions = {},
): NativeWeight {
  const { dtype, shape, file } = stored;
  const handle = addon.createWeight(owner, dtype, shape[0], shape[1], screened);
  try {
    if (file) addon.packFile(owner, handle, file.descriptor, file.inode, file.fileSize, file.offset);
    else packSlices(addon, owner, handle, stored);
  } catch (error) {
    addon.freeWeight(owner, handle);
    throw error;
  }
  const isScreened = addon.isScreened(owner, handle) === 1;
  const sizeBytes = addon.weightBytes(owner, handle);
  return new NativeWeight(owner, handle, dtype, [...shape], sizeBytes, isScreened, file ? stored : null);
}

const STEP_MS = 50; // other tasks of this thread run in between
const WAITING = 0;
const FAILED = 2;

/**
 * Waits until it is packed. What could not be read in the background is read here, which either says why or works:
 * a runtime may number its files otherwise than the system.
 */
export async function untilPacked(addon: NativeAddon, weight: NativeWeight): Promise<void> {
  const { owner, handle } = weight;
  let state = addon.packed(owner, handle, STEP_MS);
  while (state === WAITING) {
    await new Promise((resolve) => setTimeout(resolve));
    state = addon.packed(owner, handle, STEP_MS);
  }
  if (state === FAILED && weight.inFile) packSlices(addon, owner, handle, weight.inFile);
  weight.inFile = null;
}

/** Reads and packs a slice of rows at a time. */
function packSlices(addon: NativeAddon, owner: BackendHandle, handle: WeightHandle, stored: StoredWeight): void {
  const [rows, width] = stored.shape;
  const bytesPerRow = rowBytes(stored.dtype, width);
  const rowsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / bytesPerRow / PANEL_ROWS)) * PANEL_ROWS;
  for (let row = 0; row < rows; row += rowsPerSlice) {
    const count = Math.min(rows - row, rowsPerSlice);
    const bytes = stored.read(row * bytesPerRow, count * bytesPerRow);
    if (bytes.length !== count * bytesPerRow) {
      const wanted = `${count * bytesPerRow} bytes of ${stored.name}`;
      throw new GemmaError("ERR_TRUNCATED", `native: read must return ${wanted}, got ${bytes.length}`);
    }
    addon.packRows(owner, handle, row, bytes);
  }
}
