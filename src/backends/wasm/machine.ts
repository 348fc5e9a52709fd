import { GemmaError } from "../../base/errors.js";
import { Allocator } from "./allocator.js";
import { loadModule, type WasmIsa } from "./binaries.js";
import { wasmFeatures } from "./features.js";
import type { KernelExports } from "./helper.js";
import { ARGS, FAILED, MAX_ARGS, MAY_WAIT, QUIT, SCRATCH_BYTES, TICKET } from "./layout.js";
import { type Helper, startHelpers } from "./threads.js";

const PAGE_BYTES = 65536;
const FIRST_PAGES = 16;
/** Largest memories to ask for: a 32-bit system, or a phone, may not have room for the first. */
const MAX_PAGES = [65536, 32768, 16384, 8192];

/** A memory, the kernels that work on it, and the threads that run them. */
export class Machine {
  readonly allocator: Allocator;
  private words: Uint32Array;
  private readonly buffers = new Map<string, { start: number; size: number }>();
  private state: "alive" | "broken" | "disposed" = "alive";

  private constructor(
    readonly isa: WasmIsa,
    readonly threads: number,
    readonly memory: WebAssembly.Memory,
    readonly exports: KernelExports,
    private readonly helpers: readonly Helper[],
    firstScratch: number,
    maxBytes: number,
  ) {
    this.allocator = new Allocator(memory, firstScratch + threads * SCRATCH_BYTES, maxBytes);
    this.words = new Uint32Array(memory.buffer, ARGS, MAX_ARGS);
  }

  static async create(isa: WasmIsa, threads: number): Promise<Machine> {
    const shared = threads > 1 && wasmFeatures().threads;
    const count = shared ? threads : 1;
    const module = await loadModule(shared ? `${isa}-threads` : isa);
    const { memory, maxPages } = makeMemory(shared);
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const exports = instance.exports as unknown as KernelExports;
    const firstScratch = exports.heapStart();
    const missing = Math.ceil((firstScratch + count * SCRATCH_BYTES) / PAGE_BYTES) - FIRST_PAGES;
    if (missing > 0) memory.grow(missing);
    exports.init(firstScratch, 0);
    if (shared && mayWait()) new Uint32Array(memory.buffer)[MAY_WAIT / 4] = 1;
    const helpers = await startHelpers({ module, memory, firstScratch }, count);
    return new Machine(isa, count, memory, exports, helpers, firstScratch, maxPages * PAGE_BYTES);
  }

  /**
   * Computes all items of a kernel. Arguments are 32-bit words: addresses, counts, or bits of floats (`f32Bits`).
   * @param grain items that a thread takes at once; up to so many are not shared
   * @throws ERR_BACKEND, ERR_DISPOSED
   */
  run(kernel: number, items: number, grain: number, args: readonly number[]): void {
    this.expectAlive();
    if (items === 0) return;
    if (this.words.buffer !== this.memory.buffer) this.words = new Uint32Array(this.memory.buffer, ARGS, MAX_ARGS);
    for (let i = 0; i < args.length; i++) this.words[i] = args[i]!;
    try {
      this.exports.run(kernel, items, Math.max(1, Math.floor(grain)));
    } catch (cause) {
      this.state = "broken";
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new GemmaError("ERR_BACKEND", `wasm: kernel ${kernel} must run to its end, got ${reason}`, { cause });
    }
  }

  /** @throws ERR_DISPOSED, or ERR_BACKEND after a kernel has failed */
  expectAlive(): void {
    if (this.state === "alive") return;
    if (this.state === "disposed")
      throw new GemmaError("ERR_DISPOSED", "wasm: the backend must be alive, got disposed");
    throw new GemmaError("ERR_BACKEND", "wasm: a kernel of this backend has failed before; create another backend");
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count);
  }

  integers(address: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, count);
  }

  bytes(address: number, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, count);
  }

  /** The address of a buffer for a purpose, at least so large; it keeps its contents unless it has to grow. */
  buffer(purpose: string, bytes: number): number {
    const have = this.buffers.get(purpose);
    if (have !== undefined && have.size >= bytes) return have.start;
    if (have !== undefined) {
      this.buffers.delete(purpose);
      this.allocator.free(have.start);
    }
    const start = this.allocator.allocate(bytes);
    this.buffers.set(purpose, { start, size: bytes });
    return start;
  }

  dispose(): void {
    if (this.state === "disposed") return;
    this.state = "disposed";
    if (this.helpers.length === 0) return;
    const words = new Int32Array(this.memory.buffer);
    Atomics.store(words, QUIT / 4, 1);
    Atomics.store(words, FAILED / 4, 0);
    Atomics.notify(words, TICKET / 4 + 1);
    for (const helper of this.helpers) helper.end();
  }
}

/** The most that the system gives: address space is taken at once, pages when they are used. */
function makeMemory(shared: boolean): { memory: WebAssembly.Memory; maxPages: number } {
  let last: unknown;
  for (const maxPages of MAX_PAGES) {
    try {
      const maximum = shared ? { maximum: maxPages, shared } : {};
      return { memory: new WebAssembly.Memory({ initial: FIRST_PAGES, ...maximum }), maxPages };
    } catch (error) {
      last = error;
    }
  }
  throw new GemmaError("ERR_OUT_OF_MEMORY", `wasm: a memory of up to 512 MiB must be there to take, got ${last}`, {
    cause: last,
    hint: "close other tabs or programs",
  });
}

/** A browser's main thread must not block. */
function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** A float as a kernel's argument. */
export function f32Bits(value: number): number {
  float[0] = value;
  return word[0]!;
}

/** A u64 as two arguments. */
export function u64Words(value: bigint): [number, number] {
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** An f64 as two arguments. */
export function f64Words(value: number): [number, number] {
  double[0] = value;
  return [words[0]!, words[1]!];
}
