import type { Backend, BackendFactory, BackendOptions } from "../../backend/backend.js";
import { GemmaError } from "../../base/errors.js";
import { loadAddon, probeAddon } from "./load-addon.js";
import { makeCache, makeTensor, makeView, ownTensor, ownWeight, readTensor, release, writeTensor } from "./memory.js";
import { nativeOps } from "./ops.js";
import { nativeTrainingOps } from "./training-ops.js";
import { makeWeight, untilPacked } from "./weight.js";

/** C++ kernels for this CPU's instruction set, on a thread pool of its own. Calls run at once, in the calling thread. */
export const nativeBackend: BackendFactory = {
  name: "native",
  available: probeAddon,
  create: async (options) => createNative(options),
};

/** The instruction sets that this CPU runs, best first: what `isa` may be. @throws ERR_BACKEND_UNAVAILABLE */
export function nativeIsas(): string[] {
  return loadAddon().isas().split(",");
}

function createNative({ activations = "int8", threads, isa }: BackendOptions): Backend {
  const addon = loadAddon();
  const threadCount = threads ?? addon.defaultThreads();
  if (!Number.isInteger(threadCount) || threadCount < 1 || threadCount > 256) {
    throw new GemmaError("ERR_RANGE", `native: threads must be an integer in 1..256, got ${threadCount}`);
  }
  const be = addon.createBackend(isa ?? "", threadCount, activations === "int8");
  return {
    ...nativeOps(addon, be),
    ...nativeTrainingOps(addon, be),
    lacks: [],
    info: () => ({ name: "native", isa: addon.backendIsa(be), threads: threadCount, activations }),
    tensor: (dtype, shape) => makeTensor(addon, be, dtype, shape),
    view: (tensor, shape, start = 0) => makeView(ownTensor(be, tensor), shape, start),
    write: (tensor, data) => writeTensor(addon, ownTensor(be, tensor), data),
    read: async (tensor) => readTensor(addon, ownTensor(be, tensor)),
    weight: (stored, options) => makeWeight(addon, be, stored, options),
    packed: (weight) => untilPacked(addon, ownWeight(be, weight)),
    kvCache: (layout) => makeCache(addon, be, layout),
    free: (handle) => release(addon, be, handle),
    dispose: () => addon.disposeBackend(be),
  };
}
