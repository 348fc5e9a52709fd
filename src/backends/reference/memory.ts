import { type KvCache, type KvDtype, type KvLayout, PAGE_ROWS, type RowPlan } from "../../backend/kv.js";
import { elementCount, type StoredWeight, type Tensor, type TensorDtype, type Weight } from "../../backend/tensor.js";
import { roundToBf16 } from "../../base/bf16.js";
import { rowBytes, type StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import { dequantise } from "../../format/dequantise.js";
import { quantiseGroup } from "./quantise.js";

/** What views and their tensor have in common: whether it was freed. */
interface Storage {
  live: boolean;
}

export class ReferenceTensor implements Tensor {
  constructor(
    readonly dtype: TensorDtype,
    readonly shape: readonly number[],
    readonly data: Float32Array | Int32Array,
    readonly storage: Storage,
    readonly isView: boolean,
  ) {}
}

/** A matrix [N, K], dequantised. */
export class ReferenceWeight implements Weight {
  readonly storage: Storage = { live: true };
  readonly isScreened = false;

  constructor(
    readonly dtype: StoredDtype,
    readonly shape: readonly [number, number],
    readonly data: Float32Array,
  ) {}

  get sizeBytes(): number {
    return this.data.byteLength;
  }
}

/** Keys and values of each layer as f32 [pages * PAGE_ROWS, K, H], rounded to what the cache's type can hold. */
export class ReferenceKvCache implements KvCache {
  readonly storage: Storage = { live: true };
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];

  constructor(readonly layout: KvLayout) {
    const rowWidth = layout.kvHeads * layout.headDim;
    const layers = () =>
      layout.layerGroups.map((group) => allocate("f32", layout.groupPages[group]! * PAGE_ROWS * rowWidth));
    this.keys = layers();
    this.values = layers();
  }

  get sizeBytes(): number {
    return [...this.keys, ...this.values].reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** Row of keys[layer] that holds a position, or -1: no page, or one outside the table or the cache. */
  row(layer: number, plan: RowPlan, sequence: number, position: number): number {
    const group = this.layout.layerGroups[layer]!;
    const table = plan.pageTables[group]!;
    const [sequences = 0, width = 0] = table.shape;
    const column = Math.floor(position / PAGE_ROWS);
    if (sequence < 0 || sequence >= sequences || column < 0 || column >= width) return -1;
    const page = i32(table)[sequence * width + column]!;
    return page < 0 || page >= this.layout.groupPages[group]! ? -1 : page * PAGE_ROWS + (position % PAGE_ROWS);
  }
}

/** @throws ERR_OUT_OF_MEMORY */
function allocate(dtype: "f32", count: number): Float32Array<ArrayBuffer>;
function allocate(dtype: TensorDtype, count: number): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
function allocate(dtype: TensorDtype, count: number) {
  try {
    return dtype === "f32" ? new Float32Array(count) : new Int32Array(count);
  } catch (cause) {
    throw new GemmaError("ERR_OUT_OF_MEMORY", `reference: ${count} elements must fit in memory`, { cause });
  }
}

/** A tensor of its own, zeroed. @throws ERR_RANGE, ERR_OUT_OF_MEMORY */
export function makeTensor(dtype: TensorDtype, shape: readonly number[]): ReferenceTensor {
  return new ReferenceTensor(dtype, [...shape], allocate(dtype, countOf(shape)), { live: true }, false);
}

export function makeView(tensor: Tensor, shape: readonly number[], start: number): ReferenceTensor {
  const { data, storage } = own(tensor, ReferenceTensor);
  const end = start + countOf(shape);
  if (!Number.isInteger(start) || start < 0 || end > data.length) {
    throw new GemmaError("ERR_RANGE", `view: [${start}, ${end}) must lie in the tensor's ${data.length} elements`);
  }
  return new ReferenceTensor(tensor.dtype, [...shape], data.subarray(start, end), storage, true);
}

export function writeTensor(tensor: Tensor, data: Float32Array | Int32Array): void {
  const target = tensor.dtype === "f32" ? f32(tensor) : i32(tensor);
  if (data instanceof Float32Array !== target instanceof Float32Array || data.length > target.length) {
    const wanted = `${tensor.dtype} and at most ${target.length} elements`;
    throw new GemmaError("ERR_SHAPE", `write: data must be ${wanted}, got ${data.constructor.name} of ${data.length}`);
  }
  target.set(data);
}

const SLICE_BYTES = 4 << 20;

/** Dequantises a stored matrix, a few rows at a time. */
export function makeWeight(stored: StoredWeight): ReferenceWeight {
  const [rows, width] = stored.shape;
  const data = allocate("f32", countOf(stored.shape));
  const bytesPerRow = rowBytes(stored.dtype, width);
  const rowsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / bytesPerRow));
  for (let row = 0; row < rows; row += rowsPerSlice) {
    const end = Math.min(rows, row + rowsPerSlice);
    const bytes = stored.read(row * bytesPerRow, (end - row) * bytesPerRow);
    dequantise(stored.dtype, bytes, data.subarray(row * width, end * width));
  }
  return new ReferenceWeight(stored.dtype, [rows, width], data);
}

/** Rounds one head's key or value to what the cache's type can hold. */
export function roundToKv(dtype: KvDtype, values: Float32Array): Float32Array {
  if (dtype === "f32") return values;
  if (dtype === "bf16") return values.map(roundToBf16);
  const { scale, codes } = quantiseGroup(values);
  return Float32Array.from(codes, (code) => code * scale);
}

/** The handle as this backend's own kind. @throws ERR_DISPOSED for a freed one, ERR_BACKEND for another backend's */
export function own<Kind extends { readonly storage: Storage }, Args extends never[]>(
  handle: object,
  kind: new (...args: Args) => Kind,
): Kind {
  if (!(handle instanceof kind)) {
    throw new GemmaError("ERR_BACKEND", `reference: a handle must be this backend's own, got another's`);
  }
  if (!handle.storage.live) throw new GemmaError("ERR_DISPOSED", "reference: a handle must be alive, got a freed one");
  return handle;
}

/** Elements of an f32 tensor. */
export function f32(tensor: Tensor): Float32Array {
  return own(tensor, ReferenceTensor).data as Float32Array;
}

/** Elements of an i32 tensor. */
export function i32(tensor: Tensor): Int32Array {
  return own(tensor, ReferenceTensor).data as Int32Array;
}

function countOf(shape: readonly number[]): number {
  if (shape.every((dim) => Number.isInteger(dim) && dim >= 0)) return elementCount(shape);
  throw new GemmaError("ERR_RANGE", `reference: dimensions must be integers >= 0, got [${shape.join(", ")}]`);
}
