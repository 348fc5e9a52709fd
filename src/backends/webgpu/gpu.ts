import { GemmaError } from "../../base/errors.js";
import { Arena, type Block, megabytes } from "./arena.js";
import { COPY_DST, COPY_SRC, MAP_READ, READ, STORAGE, UNIFORM } from "./device.js";
import { Kernels } from "./kernels.js";
import type { KernelSpec, Units } from "./shaders.js";

/** Bytes of a dispatch's parameters: what dynamic offsets are multiples of. */
const PARAMS_BYTES = 256;
const MOST_DISPATCHES = 2048;
const MOST_GROUPS = 65_535; // a dimension of a grid
const FIRST_DATA_WORDS = 1 << 16;
const KEPT_STAGING_BYTES = 1 << 16;

/** What a kernel binds beside the tensors: weights, a table, `data`; or keys and values. */
export type Bound = readonly [GPUBuffer] | readonly [GPUBuffer, GPUBuffer];

/** What makes a GPU's failures known: the first one stays, and every later call throws it. */
export class Gpu {
  private readonly kernels: Kernels;
  private readonly space: Arena;
  private readonly params: GPUBuffer;
  private readonly paramWords = new Uint32Array((PARAMS_BYTES / 4) * MOST_DISPATCHES);
  private readonly paramFloats = new Float32Array(this.paramWords.buffer);
  private dispatches = 0;
  private arena: GPUBuffer;
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;
  /** Built once for what is bound, until the arena moves. */
  private readonly bindGroups = new Map<GPUBuffer | null, GPUBindGroup>();
  private dataBuffer: GPUBuffer;
  private dataWords = new Uint32Array(FIRST_DATA_WORDS);
  private dataUsed = 0;
  private scratchBlock: Block | null = null;
  private staging: GPUBuffer | null = null;
  private failure: GemmaError | null = null;
  private isDisposed = false;
  /** How often work was handed to the queue. */
  submits = 0;

  constructor(
    readonly device: GPUDevice,
    units: Units,
    /** Bytes that a kernel can see of a buffer. */
    readonly mostBytes: number,
  ) {
    this.kernels = new Kernels(device, units);
    this.space = new Arena(mostBytes);
    this.arena = device.createBuffer({ size: this.space.capacity * 4, usage: STORAGE | COPY_SRC | COPY_DST });
    this.params = device.createBuffer({ size: this.paramWords.byteLength, usage: UNIFORM | COPY_DST });
    this.dataBuffer = device.createBuffer({ size: this.dataWords.byteLength, usage: STORAGE | COPY_DST });
    device.addEventListener("uncapturederror", ({ error }) => this.fail(error));
    void device.lost.then(({ message, reason }) => {
      if (this.isDisposed) return;
      const what = `webgpu: the device must stay, it was lost (${reason}${message === "" ? "" : `: ${message}`})`;
      this.failure = new GemmaError("ERR_DEVICE_LOST", what, { hint: "load the model again" });
    });
  }

  private fail(error: GPUError): void {
    const memory = error.constructor.name === "GPUOutOfMemoryError";
    this.failure ??= new GemmaError(memory ? "ERR_OUT_OF_MEMORY" : "ERR_BACKEND", `webgpu: ${error.message}`);
  }

  /** @throws what went wrong on the device since, or ERR_DISPOSED */
  check(): void {
    if (this.isDisposed) throw new GemmaError("ERR_DISPOSED", "webgpu: must not be used after dispose()");
    if (this.failure !== null) throw this.failure;
  }

  /** Words for a tensor, zeroed. @throws ERR_OUT_OF_MEMORY */
  take(words: number): Block {
    this.check();
    const { block, isUsed } = this.space.take(words);
    if (this.space.capacity * 4 > this.arena.size) this.grow();
    if (isUsed) this.outsidePass().clearBuffer(this.arena, block.start * 4, block.words * 4);
    return block;
  }

  give(block: Block): void {
    this.space.give(block);
  }

  /** At least so many words that the next kernels may use as they like. @returns where they begin */
  scratch(words: number): number {
    if (this.scratchBlock === null || this.scratchBlock.words < words) {
      if (this.scratchBlock !== null) this.give(this.scratchBlock);
      this.scratchBlock = null;
      this.scratchBlock = this.take(words);
    }
    return this.scratchBlock.start;
  }

  /** A buffer of its own for weights, tables or a cache. @throws ERR_OUT_OF_MEMORY where it is beyond the limits */
  buffer(bytes: number, what: string): GPUBuffer {
    this.check();
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    if (size > this.mostBytes) {
      const [own, most] = [size, this.mostBytes].map(megabytes);
      throw new GemmaError("ERR_OUT_OF_MEMORY", `webgpu: ${what} must fit into a buffer of ${most}, got ${own}`);
    }
    return this.device.createBuffer({ label: what, size, usage: STORAGE | COPY_SRC | COPY_DST });
  }

  /** Frees a buffer once what was enqueued is done. */
  release(buffer: GPUBuffer): void {
    this.flush();
    this.bindGroups.delete(buffer);
    buffer.destroy();
  }

  /** Appends to `data`, which kernels read, what `make` gives for where it will begin. @returns that */
  data(make: (start: number) => Uint32Array): number {
    let words = make(this.dataUsed);
    if (this.dataUsed + words.length > this.dataWords.length) {
      this.flush();
      words = make(0);
      if (words.length > this.dataWords.length) {
        this.release(this.dataBuffer);
        this.dataWords = new Uint32Array(2 * words.length);
        this.dataBuffer = this.buffer(this.dataWords.byteLength, "the parameters of samplers");
      }
    }
    const start = this.dataUsed;
    this.dataWords.set(words, start);
    this.dataUsed += words.length;
    return start;
  }

  get boundData(): Bound {
    return [this.dataBuffer];
  }

  /** Enqueues a kernel: integers, then floats are its Params. `groups` is a count, spread over two dimensions, or x, y, z. */
  run(
    spec: KernelSpec,
    groups: number | readonly [number, number, number],
    ints: readonly number[],
    floats: readonly number[] = [],
    bound: Bound | null = null,
  ): void {
    this.check();
    const [x, y, z] = typeof groups === "number" ? spread(groups) : groups;
    if (x * y * z === 0) return;
    if (this.dispatches === MOST_DISPATCHES) this.flush();
    const kernel = this.kernels.get(spec);
    const at = (this.dispatches * PARAMS_BYTES) / 4;
    this.paramWords.set(ints, at);
    this.paramFloats.set(floats, at + ints.length);
    this.pass ??= this.commands().beginComputePass();
    this.pass.setPipeline(kernel.pipeline);
    this.pass.setBindGroup(0, this.bindGroup(kernel.binds, bound), [this.dispatches * PARAMS_BYTES]);
    this.pass.dispatchWorkgroups(x, y, z);
    this.dispatches += 1;
  }

  write(word: number, data: Float32Array | Int32Array): void {
    this.check();
    this.flush(); // what was enqueued before reads the old values
    this.device.queue.writeBuffer(this.arena, word * 4, data as Float32Array<ArrayBuffer>);
  }

  /** Waits for everything enqueued and copies words out. */
  async read(word: number, words: number): Promise<ArrayBuffer> {
    this.check();
    const size = words * 4;
    const kept = size <= KEPT_STAGING_BYTES ? this.staging : null;
    const copy =
      kept ?? this.device.createBuffer({ size: Math.max(size, KEPT_STAGING_BYTES), usage: MAP_READ | COPY_DST });
    if (copy === this.staging) this.staging = null;
    this.outsidePass().copyBufferToBuffer(this.arena, word * 4, copy, 0, size);
    this.flush();
    try {
      await copy.mapAsync(READ, 0, Math.max(4, size));
    } catch (cause) {
      await new Promise((resolve) => setTimeout(resolve)); // `lost` may be about to say more
      this.check();
      throw new GemmaError("ERR_BACKEND", `webgpu: a result must come back: ${(cause as Error).message}`, { cause });
    }
    const result = copy.getMappedRange(0, Math.max(4, size)).slice(0, size);
    copy.unmap();
    this.check();
    if (copy.size === KEPT_STAGING_BYTES && this.staging === null) this.staging = copy;
    else copy.destroy();
    return result;
  }

  /** Hands everything enqueued to the queue: one submit. */
  flush(): void {
    this.pass?.end();
    this.pass = null;
    if (this.encoder === null) return;
    const { queue } = this.device;
    const paramWords = (this.dispatches * PARAMS_BYTES) / 4;
    if (paramWords > 0) queue.writeBuffer(this.params, 0, this.paramWords, 0, paramWords);
    if (this.dataUsed > 0) queue.writeBuffer(this.dataBuffer, 0, this.dataWords, 0, this.dataUsed);
    queue.submit([this.encoder.finish()]);
    this.encoder = null;
    this.dispatches = 0;
    this.dataUsed = 0;
    this.submits += 1;
  }

  dispose(): void {
    this.isDisposed = true;
    this.pass = null;
    this.encoder = null;
    this.bindGroups.clear();
    this.device.destroy();
  }

  private commands(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    return this.encoder;
  }

  private outsidePass(): GPUCommandEncoder {
    this.pass?.end();
    this.pass = null;
    return this.commands();
  }

  /** A larger arena with the same contents. */
  private grow(): void {
    const old = this.arena;
    this.arena = this.device.createBuffer({ size: this.space.capacity * 4, usage: STORAGE | COPY_SRC | COPY_DST });
    this.outsidePass().copyBufferToBuffer(old, 0, this.arena, 0, old.size);
    this.flush();
    old.destroy();
    this.bindGroups.clear();
  }

  private bindGroup(kind: "plain" | "read" | "cache", bound: Bound | null): GPUBindGroup {
    const key = bound === null ? null : bound[0];
    const found = this.bindGroups.get(key);
    if (found !== undefined) return found;
    const buffers = [this.arena, this.params, ...(bound ?? [])];
    const entries = buffers.map((buffer, binding) => ({
      binding,
      resource: buffer === this.params ? { buffer, size: PARAMS_BYTES } : { buffer },
    }));
    const made = this.device.createBindGroup({ layout: this.kernels.layouts[kind], entries });
    this.bindGroups.set(key, made);
    return made;
  }
}

/** As few rows of workgroups as hold so many. */
function spread(groups: number): readonly [number, number, number] {
  const rows = Math.ceil(groups / MOST_GROUPS);
  return [rows === 0 ? 0 : Math.ceil(groups / rows), rows, 1];
}
