import type { Backend, BackendFactory, BackendOptions } from "../../backend/backend.js";
import { GemmaError } from "../../base/errors.js";
import { binaryPath, ISAS, type WasmIsa } from "./binaries.js";
import { wasmFeatures } from "./features.js";
import { Machine } from "./machine.js";
import { makeCache, makeTensor, makeView, ownTensor, ownWeight, readTensor, release, writeTensor } from "./memory.js";
import { nodeModule } from "./node-modules.js";
import { wasmOps } from "./ops.js";
import { multipliesRightly } from "./self-check.js";
import { wasmTrainingOps } from "./training-ops.js";
import { makeWeight } from "./weight.js";

/**
 * WebAssembly kernels (AssemblyScript): for browsers, and wherever there is no native build. Calls run at once, in the
 * calling thread and its helpers; a browser's main thread must not have helpers, for it may not wait for them.
 */
export const wasmBackend: BackendFactory = {
  name: "wasm",
  available: async () => availability(),
  create,
};

/** The instruction sets that this runtime has, best first: what `isa` may be. */
export function wasmIsas(): WasmIsa[] {
  const { simd, relaxedSimd } = wasmFeatures();
  return ISAS.filter((isa) => simd && (isa === "simd" || relaxedSimd));
}

function availability(): true | string {
  if (!wasmFeatures().simd) return "this runtime has no WebAssembly SIMD";
  const isNode = nodeModule("node:fs") !== undefined && import.meta.url.startsWith("file:");
  if (isNode && binaryPath("simd") === undefined) return "its kernels are not built";
  return true;
}

async function create({ activations = "int8", threads, isa }: BackendOptions): Promise<Backend> {
  const reason = availability();
  if (reason !== true) throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `wasm: ${reason}`);
  const isas = wasmIsas();
  const chosen = isas.find((name) => name === (isa ?? isas[0]));
  if (chosen === undefined) {
    const wanted = `one that this runtime has (${isas.join(", ")})`;
    throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `wasm: isa must be ${wanted}, got ${isa}`);
  }
  const threadCount = threads ?? defaultThreads();
  if (!Number.isInteger(threadCount) || threadCount < 1 || threadCount > 256) {
    throw new GemmaError("ERR_RANGE", `wasm: threads must be an integer in 1..256, got ${threadCount}`);
  }
  const machine = await openMachine(chosen, threadCount);
  return {
    ...wasmOps(machine, activations),
    ...wasmTrainingOps(machine, activations),
    lacks: [],
    info: () => ({ name: "wasm", isa: machine.isa, threads: machine.threads, activations }),
    tensor: (dtype, shape) => makeTensor(machine, dtype, shape),
    view: (tensor, shape, start = 0) => makeView(ownTensor(machine, tensor), shape, start),
    write: (tensor, data) => writeTensor(ownTensor(machine, tensor), data),
    read: async (tensor) => readTensor(ownTensor(machine, tensor)),
    weight: (stored, options) =>
      makeWeight(machine, stored, { screened: options?.screened === true && activations === "int8" }),
    packed: async (weight) => void ownWeight(machine, weight),
    kvCache: (layout) => makeCache(machine, layout),
    free: (handle) => release(machine, handle),
    dispose: () => machine.dispose(),
  };
}

/** Without relaxed SIMD where it is offered, but multiplies wrongly; `info().isa` then says so. */
async function openMachine(isa: WasmIsa, threads: number): Promise<Machine> {
  const machine = await Machine.create(isa, threads);
  if (isa === "simd" || multipliesRightly(machine)) return machine;
  machine.dispose();
  return Machine.create("simd", threads);
}

const MOST_THREADS = 8;
const FEW_CORES = 4; // that are likely not to be halves of others

/** About the physical cores: logical ones are all that runtimes tell. */
function defaultThreads(): number {
  const os = nodeModule("node:os");
  const logical = os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
  return Math.max(1, Math.min(MOST_THREADS, logical <= FEW_CORES ? logical : logical >> 1));
}
