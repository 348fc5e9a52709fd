import type { Backend, BackendName, BackendOptions } from "../backend/backend.js";
import type { FileTree } from "../load/file-tree.js";
import type { TuneResult } from "../tune/run/events.js";
import type { GrammarsHere, StartGrammars } from "./grammar.js";
import type { RenderHere, StartTemplates } from "./jinja-template.js";
import type { PackedBytes } from "./memory-plan.js";
import type { LoadProgress, LoadSettings } from "./protocol.js";
import type { TuneAdapter } from "./tune-adapter.js";
import type { TuneListener, TuneSettings } from "./tune-run.js";

export interface LoadListener {
  readonly signal: AbortSignal;
  progress(progress: LoadProgress): void;
  note(line: string): void;
}

/** A model whose files are there. */
export interface ReadyModel {
  /** In the platform's files: a .gguf file or a model folder. */
  readonly path: string;
  readonly name: string;
  /** Folder of the adapter that makes it what it is; undefined for a whole model. */
  readonly adapter?: string;
  /** The name of its base, where it has an adapter. */
  readonly base?: string;
  /** Told once its weights are read. */
  readonly release?: () => void;
}

/** What the engine's side needs of where it runs: the one seam between it and Node, or a page. */
export interface Platform {
  readonly files: FileTree;
  /**
   * Finds a model and fetches it if needed.
   * @param whole what is asked for, where an adapter on another model will not do
   */
  resolve(model: string, settings: LoadSettings, listener: LoadListener, whole?: string): Promise<ReadyModel>;
  /**
   * @param note is told of a backend that was not the first choice
   * @throws ERR_BACKEND_UNAVAILABLE; the reference is never chosen unasked
   */
  chooseBackend(name: BackendName | undefined, options: BackendOptions, note: (line: string) => void): Promise<Backend>;
  /** Bytes that a model may take, and who says so, e.g. "this machine has". */
  memoryLimit(): { readonly bytes: number; readonly says: string };
  /** What weights take on the backends that are chosen here. */
  readonly packedBytes: PackedBytes;
  readonly grammars: StartGrammars | GrammarsHere;
  readonly templates: StartTemplates | RenderHere;
  tune(settings: TuneSettings, listener: TuneListener): Promise<TuneResult>;
  /** As tune-adapter.ts has it, imported when it is wanted. */
  readonly tuneAdapter: TuneAdapter;
}
