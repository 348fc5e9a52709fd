import { type KvCache, type KvLayout, PAGE_ROWS } from "../../backend/kv.js";
import { elementCount, type Tensor, type TensorDtype, type Weight } from "../../backend/tensor.js";
import type { StoredDtype } from "../../base/dtype.js";
import { GemmaError } from "../../base/errors.js";
import type { Block } from "./arena.js";
import type { Gpu } from "./gpu.js";

/** What views and their tensor have in common. */
interface Storage {
  readonly block: Block;
  isLive: boolean;
}

export class GpuTensor implements Tensor {
  constructor(
    readonly owner: Gpu,
    readonly dtype: TensorDtype,
    readonly shape: readonly number[],
    /** Word of the arena at which it begins. */
    readonly at: number,
    readonly storage: Storage,
    readonly isView: boolean,
  ) {}
}

/** Rows of a matrix that one buffer holds: packing.ts. */
export interface WeightPart {
  readonly buffer: GPUBuffer;
  readonly firstRow: number;
  readonly rows: number;
  /** Words at which the fields of blocks begin. */
  readonly planes: readonly [number, number, number, number];
}

export class GpuWeight implements Weight {
  readonly storage = { isLive: true };
  readonly isScreened = false;

  constructor(
    readonly owner: Gpu,
    readonly dtype: StoredDtype,
    readonly shape: readonly [number, number],
    readonly sizeBytes: number,
    readonly parts: readonly WeightPart[],
    /** Of a row. */
    readonly blocks: number,
    /** Rejects where the device had no memory for it. */
    readonly uploaded: Promise<void>,
  ) {}
}

/** Keys and values of a layer. */
export type GpuLayer = readonly [keys: GPUBuffer, values: GPUBuffer];

export class GpuCache implements KvCache {
  readonly storage = { isLive: true };

  constructor(
    readonly owner: Gpu,
    readonly layout: KvLayout,
    readonly sizeBytes: number,
    readonly layers: readonly GpuLayer[],
  ) {}
}

type Handle = GpuTensor | GpuWeight | GpuCache;

/** @throws ERR_BACKEND for what another backend made, ERR_DISPOSED for what was freed */
function own<Kind extends Handle>(owner: Gpu, handle: unknown, Class: abstract new (...args: never[]) => Kind): Kind {
  if (!(handle instanceof Class) || handle.owner !== owner) {
    throw new GemmaError("ERR_BACKEND", "webgpu: a tensor, weight or cache must be of this backend, got another's");
  }
  if (!handle.storage.isLive) throw new GemmaError("ERR_DISPOSED", "webgpu: a handle must be alive, got a freed one");
  return handle;
}

export const ownTensor = (owner: Gpu, tensor: Tensor | undefined) => own(owner, tensor, GpuTensor);
export const ownWeight = (owner: Gpu, weight: Weight) => own(owner, weight, GpuWeight);
export const ownCache = (owner: Gpu, cache: KvCache) => own(owner, cache, GpuCache);

export function makeTensor(gpu: Gpu, dtype: TensorDtype, shape: readonly number[]): GpuTensor {
  const block = gpu.take(countOf(shape));
  return new GpuTensor(gpu, dtype, [...shape], block.start, { block, isLive: true }, false);
}

export function makeView(tensor: GpuTensor, shape: readonly number[], start: number): GpuTensor {
  const available = elementCount(tensor.shape);
  const end = start + countOf(shape);
  if (!Number.isInteger(start) || start < 0 || end > available) {
    throw new GemmaError("ERR_RANGE", `view: [${start}, ${end}) must lie in the tensor's ${available} elements`);
  }
  return new GpuTensor(tensor.owner, tensor.dtype, [...shape], tensor.at + start, tensor.storage, true);
}

export function writeTensor(tensor: GpuTensor, data: Float32Array | Int32Array): void {
  const { dtype, owner, shape, at } = tensor;
  const count = elementCount(shape);
  if (data.length > count || data instanceof Float32Array !== (dtype === "f32")) {
    const wanted = `${dtype} and at most ${count} elements`;
    throw new GemmaError("ERR_SHAPE", `write: data must be ${wanted}, got ${data.constructor.name} of ${data.length}`);
  }
  if (data.length > 0) owner.write(at, data);
}

export async function readTensor(tensor: GpuTensor): Promise<Float32Array | Int32Array> {
  const bytes = await tensor.owner.read(tensor.at, elementCount(tensor.shape));
  return tensor.dtype === "f32" ? new Float32Array(bytes) : new Int32Array(bytes);
}

export const KV_BITS = { f32: 32, bf16: 16, int8: 8 } as const;

/** Words of one head's row. */
export function rowWords({ dtype, headDim }: KvLayout): number {
  return Math.ceil((headDim * KV_BITS[dtype]) / 32);
}

/** Keys and values have a buffer each in every layer: none is beyond what a kernel can see as early as it might. */
export function makeCache(gpu: Gpu, layout: KvLayout): GpuCache {
  const { dtype, kvHeads, layerGroups, groupPages } = layout;
  const pageWords = PAGE_ROWS * kvHeads * (rowWords(layout) + (dtype === "int8" ? 1 : 0));
  let sizeBytes = 0;
  const made: GPUBuffer[] = [];
  try {
    const layers = layerGroups.map((group, layer): GpuLayer => {
      const bytes = groupPages[group]! * pageWords * 4;
      sizeBytes += 2 * bytes;
      made.push(gpu.buffer(bytes, `keys of layer ${layer}`), gpu.buffer(bytes, `values of layer ${layer}`));
      return made.slice(-2) as unknown as GpuLayer;
    });
    return new GpuCache(gpu, layout, sizeBytes, layers);
  } catch (error) {
    for (const buffer of made) gpu.release(buffer);
    throw error;
  }
}

/** Frees it; nothing if it is a view or freed already. */
export function release(gpu: Gpu, handle: Tensor | Weight | KvCache): void {
  if (handle instanceof GpuTensor) {
    if (handle.isView || !handle.storage.isLive) return;
    ownTensor(gpu, handle).storage.isLive = false;
    gpu.give(handle.storage.block);
  } else if (handle instanceof GpuWeight) {
    if (!handle.storage.isLive) return;
    ownWeight(gpu, handle).storage.isLive = false;
    for (const { buffer } of handle.parts) gpu.release(buffer);
  } else if (!(handle instanceof GpuCache) || handle.storage.isLive) {
    const cache = ownCache(gpu, handle as KvCache);
    cache.storage.isLive = false;
    for (const buffer of cache.layers.flat()) gpu.release(buffer);
  }
}

/** @throws ERR_RANGE */
function countOf(shape: readonly number[]): number {
  if (shape.every((dim) => Number.isInteger(dim) && dim >= 0)) return elementCount(shape);
  throw new GemmaError("ERR_RANGE", `tensor: dimensions must be integers from 0 on, got [${shape.join(", ")}]`);
}
