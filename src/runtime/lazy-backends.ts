import type { BackendFactory, BackendName } from "../backend/backend.js";

// The backends that run in Node and in pages. Their files are imported by the first who asks: each would make every load
// slower, and few want them.

export const wasmBackend: BackendFactory = {
  name: "wasm",
  available: async () => (await import("../backends/wasm/index.js")).wasmBackend.available(),
  create: async (options) => (await import("../backends/wasm/index.js")).wasmBackend.create(options),
};

export const webgpuBackend: BackendFactory = {
  name: "webgpu",
  available: async () => (await import("../backends/webgpu/index.js")).webgpuBackend.available(),
  create: async (options) => (await import("../backends/webgpu/index.js")).webgpuBackend.create(options),
};

export const referenceBackend: BackendFactory = {
  name: "reference",
  available: async () => true,
  create: async (options) => (await import("../backends/reference/index.js")).referenceBackend.create(options),
};

/** The reference is exact and slow, and WebGPU has run on a GPU in software alone so far: never chosen unasked. */
export const ON_REQUEST: readonly BackendName[] = ["webgpu", "reference"];
