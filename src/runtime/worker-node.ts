import { parentPort } from "node:worker_threads";
import { EngineHost } from "./host.js";
import { nodePlatform } from "./platform-node.js";
import type { FromWorker, ToWorker } from "./protocol.js";

const port = parentPort;
if (!port) throw new Error("worker-node: must run in a worker thread");
let batch: FromWorker[] = []; // a step tells every job something: one message takes it all

const host = new EngineHost((message) => {
  if (batch.push(message) > 1) return;
  queueMicrotask(() => {
    const messages = batch;
    batch = [];
    port.postMessage(messages);
  });
}, nodePlatform());
port.on("message", (message: ToWorker) => void host.handle(message));
