import { GemmaError } from "../../base/errors.js";

/** A device, and what of it kernels may use. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly subgroups: boolean;
  readonly f16: boolean;
}

const INSTALL = "on Node, install the package `webgpu` (npm install webgpu) and a Vulkan, Metal or Direct3D 12 driver";

/** The browser's own WebGPU, or that of the package `webgpu` (Dawn): an optional peer dependency. */
async function findGpu(): Promise<GPU | string> {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (own) return own;
  const { process } = globalThis as { process?: NodeProcess };
  const [modules, urls] = [process?.getBuiltinModule?.("node:module"), process?.getBuiltinModule?.("node:url")];
  if (!modules || !urls) return "this browser has no WebGPU, or the page is no secure context (https or localhost)";
  try {
    // Found at run time: a bundler for the browser must not look for it.
    const { href } = urls.pathToFileURL(modules.createRequire(import.meta.url).resolve("webgpu"));
    const { create } = await import(/* @vite-ignore */ /* webpackIgnore: true */ href);
    return create((process?.env.GEMMA_WEBGPU_FLAGS ?? "").split(",").filter((flag) => flag !== ""));
  } catch (error) {
    return `${INSTALL} (${error instanceof Error ? error.message.split("\n")[0] : error})`;
  }
}

interface NodeModules {
  readonly "node:module": { createRequire(from: string): { resolve(name: string): string } };
  readonly "node:url": { pathToFileURL(path: string): URL };
}

/** What is asked of Node: without an import, as that of its modules would be one. */
interface NodeProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?<Name extends keyof NodeModules>(name: Name): NodeModules[Name];
}

let gpu: Promise<GPU | string> | undefined;

async function findAdapter(): Promise<GPUAdapter | string> {
  gpu ??= findGpu();
  const found = await gpu;
  if (typeof found === "string") return found;
  const adapter = await found.requestAdapter({ powerPreference: "high-performance" });
  return adapter ?? `WebGPU finds no adapter: no GPU or no driver for it; ${INSTALL}`;
}

/** true, or one line that says why there is no device here. */
export async function probeDevice(): Promise<true | string> {
  const adapter = await findAdapter();
  return typeof adapter === "string" ? adapter : true;
}

const LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/** @throws ERR_BACKEND_UNAVAILABLE */
export async function openDevice(): Promise<OpenDevice> {
  const adapter = await findAdapter();
  if (typeof adapter === "string") throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `webgpu: ${adapter}`);
  const wanted = ["subgroups", "shader-f16"] as const;
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
  const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  const subgroups = device.features.has("subgroups") && (await subgroupsAreInOrder(device));
  return { device, subgroups, f16: device.features.has("shader-f16") };
}

const PROBE = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(256)
fn main(
  @builtin(local_invocation_index) i: u32, @builtin(subgroup_size) size: u32, @builtin(subgroup_invocation_id) lane: u32
) {
  let first = subgroupBroadcastFirst(i);
  out[i] = select(1u, 0u, size <= 64u && first % size == 0u && i == first + lane);
}`;

/** Kernels take lanes i·size to (i + 1)·size - 1 for subgroup i, which WGSL does not promise. */
async function subgroupsAreInOrder(device: GPUDevice): Promise<boolean> {
  const module = device.createShaderModule({ code: PROBE });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const size = 1024;
  const out = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
  const copy = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  const entries = [{ binding: 0, resource: { buffer: out } }];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(out, 0, copy, 0, size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(READ);
  const isInOrder = new Uint32Array(copy.getMappedRange()).every((value) => value === 0);
  for (const buffer of [out, copy]) buffer.destroy();
  return isInOrder;
}

// GPUBufferUsage and GPUMapMode: on Node they are no globals.
export const MAP_READ = 0x0001;
export const COPY_SRC = 0x0004;
export const COPY_DST = 0x0008;
export const UNIFORM = 0x0040;
export const STORAGE = 0x0080;
export const READ = 0x0001;
/** GPUShaderStage.COMPUTE */
export const COMPUTE_STAGE = 0x4;
