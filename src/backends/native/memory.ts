import type { KvCache, KvLayout } from "../../backend/kv.js";
import { elementCount, type StoredWeight, type Tensor, type TensorDtype, type Weight } from "../../backend/tensor.js";
import type { StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import type { BackendHandle, CacheHandle, NativeAddon, TensorHandle, WeightHandle } from "./addon.js";

/** Elements [start, start + count) of a native tensor. */
export class NativeTensor implements Tensor {
  constructor(
    readonly owner: BackendHandle,
    readonly handle: TensorHandle,
    readonly dtype: TensorDtype,
    readonly shape: readonly number[],
    readonly start: number,
    readonly isView: boolean,
  ) {}
}

export class NativeWeight implements Weight {
  constructor(
    readonly owner: BackendHandle,
    readonly handle: WeightHandle,
    readonly dtype: StoredDtype,
    readonly shape: readonly [number, number],
    readonly sizeBytes: number,
    readonly isScreened: boolean,
    /** While it is packed from a file: what to pack it from should that fail. */
    public inFile: StoredWeight | null,
  ) {}
}

export class NativeCache implements KvCache {
  constructor(
    readonly owner: BackendHandle,
    readonly handle: CacheHandle,
    readonly layout: KvLayout,
    readonly sizeBytes: number,
  ) {}
}

type Handle = NativeTensor | NativeWeight | NativeCache;

/** @throws ERR_BACKEND for what another backend made: its handles mean nothing here. */
function own<Kind extends Handle>(
  owner: BackendHandle,
  handle: unknown,
  Class: abstract new (...args: never[]) => Kind,
): Kind {
  if (handle instanceof Class && handle.owner === owner) return handle;
  throw new GemmaError("ERR_BACKEND", "native: a tensor, weight or cache must be of this backend, got one of another");
}

export const ownTensor = (owner: BackendHandle, tensor: Tensor | undefined) => own(owner, tensor, NativeTensor);
export const ownWeight = (owner: BackendHandle, weight: Weight) => own(owner, weight, NativeWeight);
export const ownCache = (owner: BackendHandle, cache: KvCache) => own(owner, cache, NativeCache);

/** Frees it; nothing if it is a view or freed already. */
export function release(addon: NativeAddon, owner: BackendHandle, handle: Tensor | Weight | KvCache): void {
  if (handle instanceof NativeWeight) addon.freeWeight(owner, ownWeight(owner, handle).handle);
  else if (handle instanceof NativeCache) addon.freeCache(owner, ownCache(owner, handle).handle);
  else {
    const tensor = own(owner, handle, NativeTensor);
    if (!tensor.isView) addon.freeTensor(owner, tensor.handle);
  }
}

export function makeTensor(
  addon: NativeAddon,
  owner: BackendHandle,
  dtype: TensorDtype,
  shape: readonly number[],
): NativeTensor {
  const handle = addon.createTensor(owner, dtype === "i32", countOf(shape));
  return new NativeTensor(owner, handle, dtype, [...shape], 0, false);
}

export function makeView(tensor: NativeTensor, shape: readonly number[], start: number): NativeTensor {
  const available = elementCount(tensor.shape);
  const end = start + countOf(shape);
  if (!Number.isInteger(start) || start < 0 || end > available) {
    throw new GemmaError("ERR_RANGE", `view: [${start}, ${end}) must lie in the tensor's ${available} elements`);
  }
  return new NativeTensor(tensor.owner, tensor.handle, tensor.dtype, [...shape], tensor.start + start, true);
}

export function writeTensor(addon: NativeAddon, tensor: NativeTensor, data: Float32Array | Int32Array): void {
  const { dtype, handle, owner, shape, start } = tensor;
  const count = elementCount(shape);
  const isFloat = data instanceof Float32Array;
  if (data.length > count || isFloat !== (dtype === "f32")) {
    const wanted = `${dtype} and at most ${count} elements`;
    throw new GemmaError("ERR_SHAPE", `write: data must be ${wanted}, got ${data.constructor.name} of ${data.length}`);
  }
  if (isFloat) addon.writeF32(owner, data, handle, start);
  else addon.writeI32(owner, data, handle, start);
}

export function readTensor(addon: NativeAddon, tensor: NativeTensor): Float32Array | Int32Array {
  const { dtype, handle, owner, shape, start } = tensor;
  if (dtype === "f32") {
    const data = new Float32Array(elementCount(shape));
    addon.readF32(owner, data, handle, start);
    return data;
  }
  const data = new Int32Array(elementCount(shape));
  addon.readI32(owner, data, handle, start);
  return data;
}

const KV_DTYPE_IDS = { f32: 0, bf16: 1, int8: 2 } as const;

export function makeCache(addon: NativeAddon, owner: BackendHandle, layout: KvLayout): NativeCache {
  const { dtype, kvHeads, headDim, layerGroups, groupPages } = layout;
  const groups = Int32Array.from(layerGroups);
  const pages = Int32Array.from(groupPages);
  const handle = addon.createCache(owner, KV_DTYPE_IDS[dtype], kvHeads, headDim, groups, pages);
  return new NativeCache(owner, handle, layout, addon.cacheBytes(owner, handle));
}

/** @throws ERR_RANGE */
function countOf(shape: readonly number[]): number {
  for (const dim of shape) {
    if (!Number.isInteger(dim) || dim < 0) {
      throw new GemmaError("ERR_RANGE", `tensor: dimensions must be integers from 0 on, got [${shape.join(", ")}]`);
    }
  }
  return elementCount(shape);
}
