import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { defined } from "../base/defined.js";
import { disk } from "../load/files.js";
import { resolveModel } from "../load/pull.js";
import { expectWhole } from "../load/tuned.js";
import { chooseBackend } from "./backends.js";
import type { GrammarsHere, StartGrammars } from "./grammar.js";
import type { FromGrammar } from "./grammar-protocol.js";
import type { RenderHere, StartTemplates } from "./jinja-template.js";
import { memoryLimit } from "./memory-limit.js";
import { asStored } from "./memory-plan.js";
import type { Platform } from "./platform.js";
import type { TemplateOutput } from "./template-render.js";

/** Heap of a template's process: a conversation's text takes a few MB, and V8 ends what asks for more. */
const HEAP_FLAGS = ["--max-old-space-size=128", "--max-semi-space-size=8"];

export const startGrammarWorker: StartGrammars = (data, { message, failed }) => {
  const url = new URL("./grammar-worker.js", import.meta.url);
  const worker = new Worker(url, { name: "gemma-grammar", workerData: data });
  worker.on("message", (from: FromGrammar) => message(from));
  worker.on("error", failed);
  worker.unref();
  return {
    post: (to) => worker.postMessage(to),
    end: () => void worker.terminate(),
  };
};

export const grammarsHere: GrammarsHere = {
  here(data, { message, failed }) {
    const host = import("./grammar-host.js").then(({ GrammarHost }) => new GrammarHost(data, message));
    return {
      post: (to) => void host.then((grammars) => grammars.handle(to)).catch(failed),
      end() {},
    };
  },
};

/** Not a worker thread: a heap that outgrows its limit there can end the whole process. */
export const startTemplateProcess: StartTemplates = ({ message, ended }) => {
  const child = fork(fileURLToPath(new URL("./template-process.js", import.meta.url)), [], {
    execArgv: HEAP_FLAGS,
    env: {}, // a template has no business with the environment
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child.unref();
  child.channel?.unref();
  child.on("message", (from: "ready" | TemplateOutput) => message(from));
  child.on("exit", ended);
  child.on("error", ended);
  return {
    send: (input) => void child.send(input),
    end: () => void child.kill("SIGKILL"),
  };
};

export const renderHere: RenderHere = {
  render: async (input) => (await import("./template-render.js")).renderTemplate(input),
};

/** @param inProcess whether nothing may run in threads and processes of its own; for tests and debuggers */
export function nodePlatform(inProcess = false): Platform {
  return {
    files: disk,
    resolve(model, settings, listener, whole) {
      if (whole !== undefined) expectWhole(model, whole);
      return resolveModel(model, {
        signal: listener.signal,
        ...defined({ home: settings.home, offline: settings.offline }),
        onNotice: (line) => listener.note(line),
        onProgress: ({ file, doneBytes, totalBytes, ...rest }) =>
          listener.progress({ ...rest, what: file, done: doneBytes, total: totalBytes ?? 0 }),
      });
    },
    chooseBackend,
    memoryLimit: () => ({ bytes: memoryLimit(), says: "this machine has" }),
    packedBytes: asStored,
    grammars: inProcess ? grammarsHere : startGrammarWorker,
    templates: inProcess ? renderHere : startTemplateProcess,
    // Not imported at the top: an engine that answers has no use for it. Both in one: bundlers then split off one file.
    tuneAdapter: async (...given) => (await import("./tune-run.js")).tuneAdapter(...given),
    tune: async (settings, listener) => (await import("./tune-run.js")).runTuning(settings, listener),
  };
}
