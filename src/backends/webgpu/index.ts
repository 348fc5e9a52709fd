import type { Backend, BackendFactory, BackendOptions } from "../../backend/backend.js";
import { TRAINING_OPS } from "../../backend/ops/index.js";
import { GemmaError } from "../../base/errors.js";
import { openDevice, probeDevice } from "./device.js";
import { Gpu } from "./gpu.js";
import { makeCache, makeTensor, makeView, ownTensor, ownWeight, readTensor, release, writeTensor } from "./memory.js";
import { gpuOps } from "./ops.js";
import { makeWeight } from "./packing.js";
import type { Units } from "./shaders.js";

/** WGSL kernels on a GPU: the browser's, or on Node that of the package `webgpu`. Calls enqueue, `read` waits. */
export const webgpuBackend: BackendFactory = {
  name: "webgpu",
  available: probeDevice,
  create: async (options) => (await createWebgpu(options)).backend,
};

/** What only tests change. */
export interface WebgpuTestOptions extends BackendOptions {
  /** Bytes that a kernel sees of a buffer, below the device's own limit. */
  readonly mostBytes?: number;
  /** Bytes of a buffer of weights, below that. */
  readonly mostWeightBytes?: number;
}

/** The backend, and the device below it. @throws ERR_BACKEND_UNAVAILABLE */
export async function createWebgpu(options: WebgpuTestOptions = {}): Promise<{ backend: Backend; gpu: Gpu }> {
  const open = await openDevice();
  const { device } = open;
  const units = unitsOf(open, options);
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  const mostBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize, options.mostBytes ?? Infinity, 2 ** 32 - 4);
  const gpu = new Gpu(device, units, mostBytes);
  const backend: Backend = {
    ...gpuOps(gpu),
    ...trainingOps,
    lacks: TRAINING_NAMES,
    info: () => ({ name: "webgpu", isa: isaOf(units), threads: 1, activations: "f32" }),
    tensor: (dtype, shape) => makeTensor(gpu, dtype, shape),
    view: (tensor, shape, start = 0) => makeView(ownTensor(gpu, tensor), shape, start),
    write: (tensor, data) => writeTensor(ownTensor(gpu, tensor), data),
    read: async (tensor) => readTensor(ownTensor(gpu, tensor)),
    weight: (stored) => makeWeight(gpu, stored, Math.min(mostBytes, options.mostWeightBytes ?? mostBytes)),
    packed: (weight) => ownWeight(gpu, weight).uploaded,
    kvCache: (layout) => makeCache(gpu, layout),
    free: (handle) => release(gpu, handle),
    dispose: () => gpu.dispose(),
  };
  return { backend, gpu };
}

/**
 * "f32" or "f16": what factors of matrix products are; all else, sums too, is f32. "+subgroups": lanes add and compare
 * within subgroups. With `activations: "int8"`, the default, factors are f16 where the device has it.
 */
function unitsOf(has: Units, { isa, activations = "int8" }: BackendOptions): Units {
  const best = { ...has, f16: has.f16 && activations === "int8" };
  if (isa === undefined) return best;
  const known = [false, true].flatMap((f16) => [false, true].map((subgroups): Units => ({ f16, subgroups })));
  const found = known.find((units) => isaOf(units) === isa);
  if (found !== undefined && (has.f16 || !found.f16) && (has.subgroups || !found.subgroups)) return found;
  throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `webgpu: isa must be one that this device has, got ${isa}`);
}

function isaOf({ f16, subgroups }: Units): string {
  return `${f16 ? "f16" : "f32"}${subgroups ? "+subgroups" : ""}`;
}

const TRAINING_NAMES = TRAINING_OPS.map(({ name }) => name) as unknown as Backend["lacks"];

function lacking(name: string): () => never {
  return () => {
    throw new GemmaError("ERR_UNSUPPORTED_OP", `webgpu: ${name} has no kernel here: this backend does not train`);
  };
}

const trainingOps = Object.fromEntries(TRAINING_NAMES.map((name) => [name, lacking(name)])) as unknown as Pick<
  Backend,
  Backend["lacks"][number]
>;
