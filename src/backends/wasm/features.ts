import { nodeModule } from "./node-modules.js";

/** What this runtime can do with wasm. */
export interface WasmFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /** Shared memory: in browsers only where the page is isolated from other origins. */
  readonly threads: boolean;
}

/** A module with one function, () -> v128, of these instructions. */
function moduleOf(...instructions: number[]): Uint8Array<ArrayBuffer> {
  const body = [0, ...instructions, 0x0b];
  const type = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b];
  const code = [0x0a, body.length + 2, 0x01, body.length, ...body];
  return Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...type, 0x03, 0x02, 0x01, 0x00, ...code);
}

const ZERO = [0x41, 0x00, 0xfd, 0x0f]; // i32.const 0, i8x16.splat
const SIMD = moduleOf(...ZERO);
const RELAXED_SIMD = moduleOf(...ZERO, ...ZERO, ...ZERO, 0xfd, 0x93, 0x02); // i32x4.relaxed_dot_i8x16_i7x16_add_s

let found: WasmFeatures | undefined;

export function wasmFeatures(): WasmFeatures {
  found ??= { simd: isValid(SIMD), relaxedSimd: hasRelaxedSimd(), threads: hasThreads() };
  return found;
}

function isValid(module: Uint8Array<ArrayBuffer>): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(module);
}

/** Node 20 has relaxed SIMD behind a flag, which counts from the next compilation on, in all threads. */
function hasRelaxedSimd(): boolean {
  if (isValid(RELAXED_SIMD)) return true;
  return setFlags("--experimental-wasm-relaxed-simd") && isValid(RELAXED_SIMD);
}

/**
 * Compiles a module with relaxed SIMD. In Node 20, which has that behind a flag, V8's first compiler multiplies wrongly
 * (i32x4.relaxed_dot_i8x16_i7x16_add_s loses its sum), so the optimising one compiles all of it at once.
 */
export async function compileRelaxed(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  if (!isNode20()) return WebAssembly.compile(bytes);
  setFlags("--no-liftoff", "--no-wasm-lazy-compilation");
  try {
    return new WebAssembly.Module(bytes); // at once: the flags are everybody's
  } finally {
    setFlags("--liftoff", "--wasm-lazy-compilation");
  }
}

/** Not whether the flag had to be set: another thread of the process may have done that. */
function isNode20(): boolean {
  const { versions } = nodeModule("node:process") ?? {};
  return versions?.node !== undefined && versions.v8 !== undefined && Number(versions.node.split(".")[0]) < 22;
}

function setFlags(...flags: string[]): boolean {
  try {
    const v8 = nodeModule("node:v8");
    for (const flag of flags) v8?.setFlagsFromString(flag);
    return v8 !== undefined;
  } catch {
    return false;
  }
}

function hasThreads(): boolean {
  if (typeof SharedArrayBuffer !== "function" || globalThis.crossOriginIsolated === false) return false;
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return memory.buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}
