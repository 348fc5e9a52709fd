import { parentPort, workerData } from "node:worker_threads";
import { GrammarHost } from "./grammar-host.js";
import type { GrammarWorkerData, ToGrammar } from "./grammar-protocol.js";

const port = parentPort;
if (!port) throw new Error("grammar-worker: must run in a worker thread");
const host = new GrammarHost(workerData as GrammarWorkerData, (message) => {
  port.postMessage(message, message.type === "mask" ? [message.bits.buffer] : []);
});
port.on("message", (message: ToGrammar) => {
  host.handle(message).catch((error: unknown) => {
    throw error; // preparing failed: the worker ends with the reason
  });
});
