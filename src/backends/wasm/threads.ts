import { GemmaError } from "../../base/errors.js";
import { FAILED } from "./layout.js";
import { type NodeWorker, nodeModule } from "./node-modules.js";

/** What a helper thread is given. */
export interface HelperTask {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly firstScratch: number;
  readonly thread: number;
}

/** A thread that serves a memory until it is told to quit. */
export interface Helper {
  end(): void;
}

const START_TIMEOUT_MS = 20_000;

/** Starts threads 1 .. count - 1; resolves when all of them wait for work. @throws ERR_BACKEND_UNAVAILABLE */
export async function startHelpers(task: Omit<HelperTask, "thread">, count: number): Promise<Helper[]> {
  const started = Array.from({ length: count - 1 }, (_, i) => startHelper({ ...task, thread: i + 1 }));
  const results = await Promise.allSettled(started);
  const helpers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return helpers;
  for (const helper of helpers) helper.end();
  const reason = failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
  throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `wasm: ${count - 1} helper threads must start, got ${reason}`, {
    cause: failed.reason,
    hint: "choose --threads 1",
  });
}

function startHelper(task: HelperTask): Promise<Helper> {
  const threads = nodeModule("node:worker_threads");
  return threads === undefined ? startWebWorker(task) : startNodeWorker(threads.Worker, task);
}

/** helper.ts as Node runs it, in a thread that starts from a string: it works from sources and bundles alike. */
const NODE_HELPER = `
const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
const { module, memory, firstScratch, thread, failed } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.init(firstScratch, thread);
parentPort.postMessage("ready");
try {
  exports.serve();
} catch (error) {
  Atomics.store(new Int32Array(memory.buffer), failed / 4, 1);
  throw error;
}
`;

function startNodeWorker(
  NodeThread: new (code: string, options: object) => NodeWorker,
  task: HelperTask,
): Promise<Helper> {
  const options = { eval: true, workerData: { ...task, failed: FAILED }, execArgv: [], stdout: false };
  const worker = new NodeThread(NODE_HELPER, options);
  worker.unref();
  const helper = { end: () => void worker.terminate() };
  return new Promise((resolve, reject) => {
    // The timer keeps the process alive meanwhile.
    const timer = setTimeout(() => reject(new Error("no answer")), START_TIMEOUT_MS);
    worker.once("message", () => {
      clearTimeout(timer);
      resolve(helper);
    });
    worker.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function startWebWorker(task: HelperTask): Promise<Helper> {
  if (typeof Worker !== "function") return Promise.reject(new Error("this runtime has no workers"));
  const worker = new Worker(new URL("./helper.js", import.meta.url), { type: "module" });
  const helper = { end: () => worker.terminate() };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), START_TIMEOUT_MS);
    worker.onmessage = () => {
      clearTimeout(timer);
      resolve(helper);
    };
    worker.onerror = (event) => {
      clearTimeout(timer);
      reject(new Error(event.message));
    };
    worker.postMessage(task);
  });
}
