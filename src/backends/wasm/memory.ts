import { type KvCache, type KvLayout, PAGE_ROWS } from "../../backend/kv.js";
import { elementCount, type Tensor, type TensorDtype, type Weight } from "../../backend/tensor.js";
import type { StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import type { Machine } from "./machine.js";

/** What a tensor and its views have in common. */
interface Storage {
  isLive: boolean;
}

export class WasmTensor implements Tensor {
  constructor(
    readonly machine: Machine,
    readonly dtype: TensorDtype,
    readonly shape: readonly number[],
    readonly address: number,
    readonly storage: Storage,
    readonly isView: boolean,
  ) {}
}

export class WasmWeight implements Weight {
  readonly storage: Storage = { isLive: true };
  /** Calls that are to go without screening. */
  unscreened = 0;

  constructor(
    readonly machine: Machine,
    readonly dtype: StoredDtype,
    readonly shape: readonly [number, number],
    readonly sizeBytes: number,
    readonly isScreened: boolean,
    /** Of its descriptor. */
    readonly address: number,
    readonly panels: number,
    readonly isQuantised: boolean,
  ) {}
}

/** Where the pages of a layer lie. */
export interface LayerPages {
  readonly keys: number;
  readonly values: number;
  readonly keyScales: number;
  readonly valueScales: number;
}

export class WasmCache implements KvCache {
  readonly storage: Storage = { isLive: true };

  constructor(
    readonly machine: Machine,
    readonly layout: KvLayout,
    readonly sizeBytes: number,
    readonly layers: readonly LayerPages[],
    readonly address: number,
  ) {}
}

type Handle = WasmTensor | WasmWeight | WasmCache;

/** @throws ERR_BACKEND for what another backend made, ERR_DISPOSED for what was freed */
function own<Kind extends Handle>(
  machine: Machine,
  handle: unknown,
  Class: abstract new (...args: never[]) => Kind,
): Kind {
  if (!(handle instanceof Class) || handle.machine !== machine) {
    throw new GemmaError("ERR_BACKEND", "wasm: a tensor, weight or cache must be of this backend, got one of another");
  }
  if (!handle.storage.isLive) throw new GemmaError("ERR_DISPOSED", "wasm: a handle must be alive, got a freed one");
  return handle;
}

export const ownTensor = (machine: Machine, tensor: Tensor | undefined) => own(machine, tensor, WasmTensor);
export const ownWeight = (machine: Machine, weight: Weight) => own(machine, weight, WasmWeight);
export const ownCache = (machine: Machine, cache: KvCache) => own(machine, cache, WasmCache);

export function makeTensor(machine: Machine, dtype: TensorDtype, shape: readonly number[]): WasmTensor {
  machine.expectAlive();
  const bytes = 4 * countOf(shape);
  const address = machine.allocator.allocate(bytes);
  machine.bytes(address, bytes).fill(0);
  return new WasmTensor(machine, dtype, [...shape], address, { isLive: true }, false);
}

export function makeView(tensor: WasmTensor, shape: readonly number[], start: number): WasmTensor {
  const available = elementCount(tensor.shape);
  const end = start + countOf(shape);
  if (!Number.isInteger(start) || start < 0 || end > available) {
    throw new GemmaError("ERR_RANGE", `view: [${start}, ${end}) must lie in the tensor's ${available} elements`);
  }
  return new WasmTensor(tensor.machine, tensor.dtype, [...shape], tensor.address + 4 * start, tensor.storage, true);
}

export function writeTensor({ machine, dtype, shape, address }: WasmTensor, data: Float32Array | Int32Array): void {
  machine.expectAlive();
  const count = elementCount(shape);
  const isFloat = data instanceof Float32Array;
  if (data.length > count || isFloat !== (dtype === "f32")) {
    const wanted = `${dtype} and at most ${count} elements`;
    throw new GemmaError("ERR_SHAPE", `write: data must be ${wanted}, got ${data.constructor.name} of ${data.length}`);
  }
  if (isFloat) machine.floats(address, data.length).set(data);
  else machine.integers(address, data.length).set(data);
}

export function readTensor({ machine, dtype, shape, address }: WasmTensor): Float32Array | Int32Array {
  machine.expectAlive();
  const count = elementCount(shape);
  return dtype === "f32" ? machine.floats(address, count).slice() : machine.integers(address, count).slice();
}

export const MAX_HEAD_DIM = 512; // what a thread's scratch has room for

export function makeCache(machine: Machine, layout: KvLayout): WasmCache {
  machine.expectAlive();
  const { dtype, kvHeads, headDim, layerGroups, groupPages } = layout;
  if (headDim > MAX_HEAD_DIM) {
    throw new GemmaError("ERR_RANGE", `kvCache: headDim must be at most ${MAX_HEAD_DIM}, got ${headDim}`);
  }
  countOf([kvHeads, headDim, ...groupPages]);
  const elementBytes = { f32: 4, bf16: 2, int8: 1 }[dtype];
  let size = 0;
  const take = (bytes: number) => {
    const start = size;
    size += Math.ceil(bytes / 64) * 64;
    return start;
  };
  const offsets = layerGroups.map((group) => {
    const vectors = groupPages[group]! * PAGE_ROWS * kvHeads;
    const scales = dtype === "int8" ? 4 * vectors : 0;
    const bytes = vectors * headDim * elementBytes;
    return { keys: take(bytes), values: take(bytes), keyScales: take(scales), valueScales: take(scales) };
  });
  const address = machine.allocator.allocate(size);
  const layers = offsets.map(({ keys, values, keyScales, valueScales }) => ({
    keys: address + keys,
    values: address + values,
    keyScales: address + keyScales,
    valueScales: address + valueScales,
  }));
  return new WasmCache(machine, layout, size, layers, address);
}

/** Frees it; nothing if it is a view or freed already. */
export function release(machine: Machine, handle: Tensor | Weight | KvCache): void {
  if (!(handle instanceof WasmTensor || handle instanceof WasmWeight || handle instanceof WasmCache)) {
    throw new GemmaError("ERR_BACKEND", "wasm: a tensor, weight or cache must be of this backend, got one of another");
  }
  if (handle instanceof WasmTensor && handle.isView) return;
  if (!handle.storage.isLive) return;
  const { address, storage } = own(machine, handle, Object.getPrototypeOf(handle).constructor) as Handle;
  machine.allocator.free(address);
  storage.isLive = false;
}

function countOf(shape: readonly number[]): number {
  if (shape.every((dim) => Number.isInteger(dim) && dim >= 0)) return elementCount(shape);
  throw new GemmaError("ERR_RANGE", `wasm: dimensions must be integers >= 0, got [${shape.join(", ")}]`);
}
