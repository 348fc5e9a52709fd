import type { BackendName } from "../backend/backend.js";
import { defined } from "../base/defined.js";
import { packageVersion } from "../load/package-version.js";
import type { DataRow } from "../tune/data/source.js";
import type { TuneOptions } from "../tune/run/config.js";
import { openEngine } from "./link-node.js";
import type { LoadProgress } from "./protocol.js";
import type { TuneData } from "./tune-data.js";
import type { TuneSettings } from "./tune-run.js";
import { Tuning } from "./tuning.js";

/** How a run is computed, and who hears of it; none of it changes what is learned, but for another backend's rounding. */
export interface TuneRunOptions {
  /** Stops the run between two micro-batches; what is done is in a checkpoint when the run rejects. */
  readonly signal?: AbortSignal;
  /** Downloads, and weights as they are loaded. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Default: the best that is available. */
  readonly backend?: BackendName;
  /** Forces an instruction set that this CPU can run; for tests. */
  readonly isa?: string;
  /** Default: the physical cores that this process may use. */
  readonly threads?: number;
  /** Begin also where the run takes more memory than the machine has. Default: false. */
  readonly ignoreMemory?: boolean;
  /** Never use the network. Default: the environment variables GEMMA_OFFLINE and HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** Cache folder. Default: GEMMA_HOME, else XDG_CACHE_HOME/gemma-ts, else ~/.cache/gemma-ts. */
  readonly home?: string;
  /** Runs in the caller's thread, which is then blocked during each step. For tests and debuggers. */
  readonly inProcess?: boolean;
}

/** The hyper-parameters, and where the run is. */
export type TuneCallOptions = TuneOptions &
  TuneRunOptions & {
    /** The run's folder, new or empty: configuration, metrics, checkpoints, and in the end what was tuned. */
    readonly out: string;
    /** What is measured instead of learned; as the data. Default: what heldOutShare or heldOutCount draw. */
    readonly heldOutData?: Dataset;
  };

/** A file (.jsonl, .json, .csv), a data set of the hub (`hf:OWNER/NAME[:SPLIT]`), several of these, or rows. */
export type Dataset = string | readonly string[] | readonly DataRow[];

/**
 * Tunes a model on a data set. It runs in a worker thread: nothing here blocks the event loop.
 *
 * @param model name, source or path, as Gemma.load takes it
 * @example
 * const run = tune("gemma-3-270m", "answers.jsonl", { out: "runs/answers", rank: 16, epochs: 2, heldOutShare: 0.1 });
 * for await (const event of run) if (event.type === "step") console.log(event.step, event.loss);
 * const { path } = await run.result; // a PEFT adapter
 * @throws the loop and `result` do: ERR_BAD_DATA with each broken line, ERR_RANGE and ERR_USAGE for options, ERR_OUT_OF_MEMORY,
 *   ERR_DIVERGED, ERR_DISK_FULL; the reason of the aborted signal
 */
export function tune(model: string, data: Dataset, options: TuneCallOptions): Tuning {
  const { signal, onProgress, backend, isa, threads, ignoreMemory, offline, home, inProcess, ...rest } = options;
  const { out, heldOutData = [], ...hyperparameters } = rest;
  return startRun(
    {
      ...defined({ backend, isa, threads, ignoreMemory, offline, home }),
      out,
      start: { model, options: hyperparameters as TuneOptions },
      data: listOf(data),
      heldOutData: listOf(heldOutData),
    },
    defined({ signal, onProgress, inProcess }),
  );
}

/**
 * Goes on with a run that was stopped, from its newest checkpoint: it ends with the same weights, bit for bit on the same
 * backend and instruction set. A run that is done gives its result at once.
 *
 * @param options `data` and `heldOutData`: again, where they were rows
 * @throws what tune throws; ERR_USAGE where the model or the data have changed
 */
export function resumeTuning(
  out: string,
  options: TuneRunOptions & { readonly data?: Dataset; readonly heldOutData?: Dataset } = {},
): Tuning {
  const { signal, onProgress, inProcess, data = [], heldOutData = [], ...settings } = options;
  return startRun(
    { ...settings, out, start: null, data: listOf(data), heldOutData: listOf(heldOutData) },
    defined({ signal, onProgress, inProcess }),
  );
}

function startRun(
  settings: Omit<TuneSettings, "gemma">,
  { signal, onProgress, inProcess = false }: Pick<TuneRunOptions, "signal" | "onProgress" | "inProcess">,
): Tuning {
  return new Tuning(async (stop, onEvent) => {
    const link = openEngine(inProcess);
    try {
      return await link.call(
        "tune",
        { ...settings, gemma: packageVersion() },
        {
          signal: stop,
          onEvent: (event) => (event.kind === "progress" ? onProgress?.(event.progress) : onEvent(event)),
        },
      );
    } finally {
      await link.dispose();
    }
  }, signal);
}

function listOf(data: Dataset): TuneData {
  return typeof data === "string" ? [data] : data;
}
