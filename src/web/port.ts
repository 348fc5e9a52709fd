import type { EngineEvents, EnginePort } from "../runtime/link.js";
import type { FromWorker } from "../runtime/protocol.js";
import type { ToWebWorker } from "./protocol.js";

/** Where the worker comes from, for bundlers that do not find it by themselves. */
export type WorkerSource = string | URL | (() => Worker);

/** A worker of this page, and the way to the engine in it. */
export interface WorkerPort extends EnginePort {
  tell(message: ToWebWorker): void;
}

export function openWorker(source: WorkerSource | undefined, { receive, lost }: EngineEvents): WorkerPort {
  const worker = startWorker(source);
  worker.onmessage = ({ data }: MessageEvent<readonly FromWorker[]>) => {
    for (const message of data) receive(message);
  };
  worker.onerror = (event) => {
    const why = event.message ? `failed: ${event.message}` : "did not start: its script cannot be loaded";
    lost(`the engine's worker ${why}`);
  };
  worker.onmessageerror = () => lost("the engine's worker sent what this page cannot read");
  return {
    send: (message) => worker.postMessage(message),
    tell: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
  };
}

function startWorker(source: WorkerSource | undefined): Worker {
  if (typeof source === "function") return source();
  if (source !== undefined) return new Worker(source, { type: "module", name: "gemma-engine" });
  // As it stands: bundlers look for exactly this.
  return new Worker(new URL("./bundle/worker-web.js", import.meta.url), { type: "module", name: "gemma-engine" });
}
