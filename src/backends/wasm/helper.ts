import { FAILED } from "./layout.js";
import type { HelperTask } from "./threads.js";

/** What a kernel module exports. */
export interface KernelExports {
  init(firstScratch: number, thread: number): void;
  /** Computes all items of a kernel whose arguments lie at ARGS. */
  run(kernel: number, items: number, grain: number): void;
  /** Computes parts of jobs until QUIT is set. */
  serve(): void;
  /** Bytes of a row that K_PREPARE_X writes. */
  xBytes(columns: number): number;
  /** Bytes of its quants, behind which the scales stand. */
  xQuantBytes(columns: number): number;
  heapStart(): number;
}

/** What a dedicated worker has of its global scope. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<HelperTask>) => void) | null;
  postMessage(message: string): void;
  readonly document?: unknown;
}

const scope = globalThis as unknown as Partial<WorkerScope>;

// The whole life of a browser's helper thread: one message, then no event is ever handled.
if (scope.postMessage !== undefined && scope.document === undefined) {
  scope.onmessage = ({ data }) => {
    const { module, memory, firstScratch, thread } = data;
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
    exports.init(firstScratch, thread);
    scope.postMessage?.("ready");
    try {
      exports.serve();
    } catch (error) {
      Atomics.store(new Int32Array(memory.buffer), FAILED / 4, 1);
      throw error;
    }
  };
}
