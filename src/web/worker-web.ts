import { EngineHost } from "../runtime/host.js";
import type { FromWorker } from "../runtime/protocol.js";
import { WebPlatform } from "./platform-web.js";
import type { ToWebWorker } from "./protocol.js";

/** What of a worker's scope is used; lib.dom has only that of pages. */
interface WorkerScope {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<ToWebWorker>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let batch: FromWorker[] = []; // a step tells every job something: one message takes it all

const platform = new WebPlatform();
const host = new EngineHost((message) => {
  if (batch.push(message) > 1) return;
  queueMicrotask(() => {
    const messages = batch;
    batch = [];
    scope.postMessage(messages);
  });
}, platform);

scope.onmessage = ({ data }) => {
  if (data.type === "settings") platform.settings = data.settings;
  else if (data.type === "give") platform.give(data.path, data.files, data.isFolder);
  else void host.handle(data);
};
