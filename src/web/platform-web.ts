import type { Backend, BackendName, BackendOptions } from "../backend/backend.js";
import { wasmBytes } from "../backends/wasm/forms.js";
import { GemmaError } from "../base/errors.js";
import type { StartGrammars } from "../runtime/grammar.js";
import type { FromGrammar } from "../runtime/grammar-protocol.js";
import type { StartTemplates } from "../runtime/jinja-template.js";
import type { LoadListener, Platform, ReadyModel } from "../runtime/platform.js";
import type { LoadSettings } from "../runtime/protocol.js";
import type { TemplateOutput } from "../runtime/template-render.js";
import type { TuneAdapter } from "../runtime/tune-adapter.js";
import type { TuneResult } from "../tune/run/events.js";
import { chooseWebBackend } from "./backends.js";
import { Finder } from "./finder.js";
import type { GivenFile, WebSettings } from "./protocol.js";
import { blobSource } from "./storage/sources.js";
import { WebTree } from "./tree.js";

/** What 32-bit WebAssembly can address. */
const MAX_BYTES = 4 * 2 ** 30;

const startGrammars: StartGrammars = (data, { message, failed }) => {
  const worker = new Worker(new URL("./grammar-worker-web.js", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<FromGrammar>) => message(event.data);
  worker.onerror = (event) => failed(new Error(event.message || "its script did not load"));
  worker.postMessage({ type: "data", data });
  return { post: (to) => worker.postMessage(to), end: () => worker.terminate() };
};

/** In a worker, which the browser may give as much memory as the page: what a template writes is bounded all the same. */
const startTemplates: StartTemplates = ({ message, ended }) => {
  const worker = new Worker(new URL("./template-worker-web.js", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<"ready" | TemplateOutput>) => message(event.data);
  worker.onerror = ended;
  return { send: (input) => worker.postMessage(input), end: () => worker.terminate() };
};

/** The engine's side in a page's worker. */
export class WebPlatform implements Platform {
  readonly files = new WebTree();
  readonly grammars = startGrammars;
  readonly templates = startTemplates;
  settings: WebSettings = { models: "/models/" };
  private readonly given = new Map<string, readonly GivenFile[]>();

  /** Files of the user's that calls name by `path`. */
  give(path: string, files: readonly GivenFile[], isFolder: boolean): void {
    this.given.set(path, files);
    for (const { name, blob } of files) {
      const at = isFolder ? this.files.join(path, name) : path;
      this.files.add(at, () => blobSource(at, blob));
    }
  }

  async resolve(model: string, load: LoadSettings, listener: LoadListener, whole?: string): Promise<ReadyModel> {
    const finder = new Finder(this.files, this.settings, load.offline ?? false, listener);
    const files = this.given.get(model);
    const ready = files === undefined ? await finder.find(model) : await finder.take(model, files);
    if (whole === undefined || ready.adapter === undefined) return ready;
    throw new GemmaError("ERR_USAGE", `${whole}: must be a whole model, got ${model}, an adapter on ${ready.base}`);
  }

  chooseBackend(
    name: BackendName | undefined,
    options: BackendOptions,
    note: (line: string) => void,
  ): Promise<Backend> {
    return chooseWebBackend(name, options, note);
  }

  readonly packedBytes = wasmBytes;

  memoryLimit() {
    return { bytes: MAX_BYTES, says: "a page can have" };
  }

  async tuneAdapter(...given: Parameters<TuneAdapter>): ReturnType<TuneAdapter> {
    const { tuneAdapter } = await import("../runtime/tune-adapter.js");
    return tuneAdapter(...given);
  }

  async tune(): Promise<TuneResult> {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", "tune: must run in Node, got a page");
  }
}
