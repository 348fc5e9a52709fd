import { parentPort } from "node:worker_threads";
import { renderTemplate, type TemplateInput } from "./template-render.js";

const port = parentPort;
if (!port) throw new Error("template-worker: must run in a worker thread");
port.on("message", (input: TemplateInput) => port.postMessage(renderTemplate(input)));
port.postMessage("ready");
