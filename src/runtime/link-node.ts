import { setMaxListeners } from "node:events";
import { Worker } from "node:worker_threads";
import { type EngineEvents, EngineLink, type EnginePort } from "./link.js";
import type { FromWorker } from "./protocol.js";

/** worker-node.ts with all that it imports, in two files where src/ has over a hundred: scripts/build.mjs. */
const WORKER = "./bundle/worker-node.js";

/** @param inProcess runs the engine in the caller's thread, which then blocks during each step; for tests and debuggers */
export function openEngine(inProcess: boolean): EngineLink {
  return new EngineLink(inProcess ? portHere : portToWorker);
}

function portHere({ receive }: EngineEvents): EnginePort {
  // Not at the top: the caller's thread has no use for the engine's code when a worker runs it.
  const host = Promise.all([import("./host.js"), import("./platform-node.js")]).then(
    ([{ EngineHost }, { nodePlatform }]) => new EngineHost(receive, nodePlatform(true)),
  );
  return { send: (message) => void host.then((engine) => engine.handle(message)), terminate() {}, watched };
}

function portToWorker({ receive, lost }: EngineEvents): EnginePort {
  // No flags of the process: a worker refuses --input-type, and needs no loaders.
  const settings = { name: "gemma-engine", execArgv: [] };
  const worker = new Worker(new URL(WORKER, import.meta.url), settings);
  worker.on("message", (messages: readonly FromWorker[]) => {
    for (const message of messages) receive(message);
  });
  worker.on("error", (error) => lost(`the engine's worker failed: ${error.message}`));
  worker.on("exit", () => lost("the engine's worker has ended"));
  worker.unref(); // a loaded model alone does not keep the process alive; a call under way does
  return {
    send: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    watched,
  };
}

/** One signal may end many calls: that is no leak. */
function watched(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
