import type { BackendName } from "../backend/backend.js";
import { modelsFolder } from "./storage/files.js";
import { sharesTabs } from "./tabs/tab-link.js";

/** What this browser offers to this page, by looking for each feature; no browser is asked for its name. */
export interface BrowserFeatures {
  /** Whether the page has the headers that allow threads: see docs/browser.md. */
  readonly crossOriginIsolated: boolean;
  /** Memory that workers share. */
  readonly threads: boolean;
  /** Logical cores; browsers may say less than there are. */
  readonly cores: number;
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  readonly webgpu: WebGpuFeatures | { readonly missing: string };
  /** Whether models can be kept for the next visit. */
  readonly storage: boolean;
  /** Whether tabs can share a model. */
  readonly tabs: boolean;
  /** In the order in which they are chosen: true, or why not. */
  readonly backends: readonly { readonly name: BackendName; readonly available: true | string }[];
}

export interface WebGpuFeatures {
  /** As far as the browser tells. */
  readonly adapter: string;
  readonly shaderF16: boolean;
  readonly subgroups: boolean;
  readonly maxBufferBytes: number;
}

export async function browserFeatures(): Promise<BrowserFeatures> {
  const { WEB_BACKENDS } = await import("./backends.js");
  const [storage, webgpu, backends] = await Promise.all([
    modelsFolder().then((root) => root !== null),
    webgpuFeatures(),
    Promise.all(WEB_BACKENDS.map(async (one) => ({ name: one.name, available: await one.available() }))),
  ]);
  const isIsolated = globalThis.crossOriginIsolated === true;
  return {
    crossOriginIsolated: isIsolated,
    threads: isIsolated && typeof SharedArrayBuffer === "function",
    cores: navigator.hardwareConcurrency ?? 1,
    simd: validates(SIMD),
    relaxedSimd: validates(RELAXED_SIMD),
    webgpu,
    storage,
    tabs: sharesTabs(),
    backends,
  };
}

async function webgpuFeatures(): Promise<BrowserFeatures["webgpu"]> {
  const { gpu } = navigator as { gpu?: GPU };
  if (!gpu) return { missing: isSecureContext ? "this browser has no WebGPU" : "WebGPU needs HTTPS" };
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (!adapter) return { missing: "the browser offers no GPU" };
  const { vendor, architecture, description } = adapter.info;
  return {
    adapter: description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed",
    shaderF16: adapter.features.has("shader-f16"),
    subgroups: adapter.features.has("subgroups"),
    maxBufferBytes: adapter.limits.maxBufferSize,
  };
}

// Modules of one function that has one instruction of the feature: (result v128).
const HEAD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
const ZERO = [0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // v128.const
const moduleOf = (code: readonly number[]) =>
  Uint8Array.from([...HEAD, code.length + 4, 1, code.length + 2, 0, ...code, 11]);
const SIMD = moduleOf(ZERO);
const RELAXED_SIMD = moduleOf([...ZERO, ...ZERO, 0xfd, 0x80, 0x02]); // i8x16.relaxed_swizzle

function validates(module: Uint8Array<ArrayBuffer>): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(module);
}
