import { parentPort } from "node:worker_threads";
import { EngineHost } from "./host.js";
import type { ToWorker } from "./protocol.js";

const port = parentPort;
if (!port) throw new Error("worker-node: must run in a worker thread");
const host = new EngineHost((message) => port.postMessage(message));
port.on("message", (message: ToWorker) => void host.handle(message));
