import { GemmaError } from "../../base/errors.js";
import { compileRelaxed } from "./features.js";
import { nodeModule } from "./node-modules.js";

export const ISAS = ["relaxed-simd", "simd"] as const;
export type WasmIsa = (typeof ISAS)[number];
export type Variant = WasmIsa | `${WasmIsa}-threads`;

// Spelt out, for bundlers look for this form.
const URLS: Readonly<Record<Variant, () => URL>> = {
  simd: () => new URL("./simd.wasm", import.meta.url),
  "simd-threads": () => new URL("./simd-threads.wasm", import.meta.url),
  "relaxed-simd": () => new URL("./relaxed-simd.wasm", import.meta.url),
  "relaxed-simd-threads": () => new URL("./relaxed-simd-threads.wasm", import.meta.url),
};

const modules = new Map<Variant, Promise<WebAssembly.Module>>();

/** The compiled kernels, once a thread. @throws ERR_BACKEND_UNAVAILABLE */
export function loadModule(variant: Variant): Promise<WebAssembly.Module> {
  let module = modules.get(variant);
  if (module === undefined) {
    module = compile(variant);
    modules.set(variant, module);
    module.catch(() => modules.delete(variant));
  }
  return module;
}

async function compile(variant: Variant): Promise<WebAssembly.Module> {
  const url = URLS[variant]();
  try {
    const compileBytes = variant.startsWith("relaxed") ? compileRelaxed : WebAssembly.compile;
    if (url.protocol === "file:") return await compileBytes(readFile(variant));
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    // Not compileStreaming: servers that name another media type are many.
    return await compileBytes(new Uint8Array(await response.arrayBuffer()));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `wasm: ${url} must be a module that compiles, got ${reason}`, {
      cause,
      hint: "in a clone run `npm run build`; in a bundle, .wasm files must be copied beside it",
    });
  }
}

/** Where the binaries are, seen from this file: src/, dist/ and bundles in dist/ are as deep. undefined: nowhere. */
export function binaryPath(variant: Variant): string | undefined {
  const fs = nodeModule("node:fs");
  const { fileURLToPath } = nodeModule("node:url") ?? {};
  if (fs === undefined || fileURLToPath === undefined) return undefined;
  const places = [URLS[variant](), new URL(`../../../dist/backends/wasm/${variant}.wasm`, import.meta.url)];
  return places.map((url) => fileURLToPath(url)).find((path) => fs.existsSync(path));
}

function readFile(variant: Variant): Uint8Array<ArrayBuffer> {
  const path = binaryPath(variant);
  if (path === undefined) throw new Error("there is no such file");
  return new Uint8Array(nodeModule("node:fs")!.readFileSync(path));
}
