import { join } from "node:path";
import type { Backend, BackendInfo, BackendName } from "../backend/backend.js";
import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";
import { shellWord } from "../base/shell-word.js";
import { dialogueOf } from "../load/dialogue.js";
import { fileSource } from "../load/file-source.js";
import { modelHash } from "../load/model-hash.js";
import { type Checkpoint, loadVocabulary, openCheckpoint } from "../load/open.js";
import { resolveModel } from "../load/pull.js";
import type { PullOptions } from "../load/pull-options.js";
import { expectWhole } from "../load/tuned.js";
import { storedWeights } from "../model/stored-weights.js";
import { loadWeights } from "../model/weights.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { parseTuneConfig, type TuneConfig, type TuneOptions } from "../tune/run/config.js";
import type { TuneEvent, TuneResult } from "../tune/run/events.js";
import { Learner } from "../tune/run/learner.js";
import { expectFits, planWork, type Work } from "../tune/run/plan-work.js";
import { prepareData } from "../tune/run/prepare-data.js";
import { examplesHash, type RunRecord } from "../tune/run/record.js";
import { isEmptyFolder, RunFolder, readRecord, readResult, TUNE_FILES } from "../tune/run/run-folder.js";
import { train } from "../tune/run/train.js";
import { chooseBackend } from "./backends.js";
import { templateFor } from "./manner.js";
import { memoryLimit } from "./memory-limit.js";
import type { LoadProgress } from "./protocol.js";
import { inRunFolder } from "./run-place.js";
import { dataNames, openData, type TuneData } from "./tune-data.js";
import { exportTuned } from "./tune-export.js";

export { tuneAdapter } from "./tune-adapter.js";

/** What a run needs to begin, or to go on; plain data. */
export interface TuneSettings {
  /** This package's version. */
  readonly gemma: string;
  /** The run's folder. */
  readonly out: string;
  /** null: go on with the run in the folder. */
  readonly start: { readonly model: string; readonly options: TuneOptions } | null;
  /** To go on: only where the run's data are rows of a program. */
  readonly data: TuneData;
  readonly heldOutData: TuneData;
  readonly backend?: BackendName;
  readonly isa?: string;
  readonly threads?: number;
  /** Begin also where more memory is needed than the machine has. */
  readonly ignoreMemory?: boolean;
  readonly offline?: boolean;
  readonly home?: string;
}

export interface TuneListener {
  readonly signal: AbortSignal;
  event(event: TuneEvent): void;
  progress(progress: LoadProgress): void;
}

/** A run from its data to the tuned weights, in the engine's worker or the caller's thread. */
export async function runTuning(settings: TuneSettings, listener: TuneListener): Promise<TuneResult> {
  const { out, start } = settings;
  if (start !== null && !isEmptyFolder(out)) {
    throw new GemmaError("ERR_USAGE", `${out}: must be a new or empty folder, got one with files`, {
      hint: readRecord(out)
        ? `go on with the run there: gemma tune --resume ${shellWord(out)}`
        : "choose another folder with --out",
    });
  }
  const before = start === null ? recordOf(out) : null;
  const config = start === null ? before!.config : parseTuneConfig(start.options);
  return inRunFolder(out, listener.signal, async (signal) => {
    const done = readResult(out);
    if (done === null) return begin(settings, before, config, { ...listener, signal });
    listener.event({ type: "note", text: `${out}: the run is done` });
    listener.event({ type: "end", ...done });
    return done;
  });
}

function recordOf(out: string): RunRecord {
  const record = readRecord(out);
  if (record !== null) return record;
  throw new GemmaError(
    "ERR_MISSING_FILE",
    `${join(out, TUNE_FILES.record)}: must be there to go on, got no such file`,
    {
      hint: "begin the run anew: gemma tune --model … --data … --out DIR",
    },
  );
}

async function begin(
  settings: TuneSettings,
  before: RunRecord | null,
  options: TuneConfig,
  listener: TuneListener,
): Promise<TuneResult> {
  const { signal } = listener;
  const pull: PullOptions = {
    signal,
    ...defined({ home: settings.home, offline: settings.offline }),
    onNotice: (text) => listener.event({ type: "note", text }),
    onProgress: ({ file, doneBytes, totalBytes, ...rest }) =>
      listener.progress({ ...rest, what: file, done: doneBytes, total: totalBytes ?? 0 }),
  };
  const asked = before?.model.name ?? settings.start!.model;
  expectWhole(asked, "model");
  const resolved = await resolveModel(asked, pull);
  const model = resolved.path === resolved.origin ? resolved.path : asked; // a path stays right from any folder
  const checkpoint = openCheckpoint(resolved.path);
  try {
    const config = {
      ...options,
      template: options.template ?? templateFor({ dialogue: dialogueOf(checkpoint) }, checkpoint.path),
    };
    const tokenizer = Tokenizer.fromVocabulary(loadVocabulary(checkpoint));
    const from = sourcesOf(settings, before);
    const [data, sha256] = await Promise.all([
      openData(from, pull).then((sources) => prepareData(sources, tokenizer, config, signal)),
      modelHash(resolved.path, signal),
    ]);
    const storedBytes = storedWeights(checkpoint.naming, checkpoint.tensors).bytes;
    const limit = { bytes: memoryLimit(), says: "this machine has" };
    const backend = await openBackend(settings, config, before, listener);
    try {
      const info = backend.info();
      const { name, isa } = info;
      const place = { backend: name, memoryBytes: limit.bytes };
      const work = planWork(checkpoint.config, storedBytes, config, data, place);
      for (const event of work.events) listener.event(event);
      if (!settings.ignoreMemory) expectFits(checkpoint.path, work, config, limit);
      listener.event({ type: "note", text: backendText(info, before) });
      const record: RunRecord = {
        version: 1,
        gemma: settings.gemma,
        backend: { name, isa },
        model: { name: model, sha256 },
        data: {
          train: names(from.data),
          heldOut: names(from.heldOutData),
          sha256: { train: examplesHash(data.train), heldOut: examplesHash(data.heldOut) },
        },
        config,
      };
      const folder = await RunFolder.open(settings.out, record, fileSource);
      try {
        return await learn(backend, checkpoint, record, work, folder, listener);
      } finally {
        folder.close();
      }
    } finally {
      backend.dispose();
    }
  } finally {
    checkpoint.close();
  }
}

/** The one asked for; to go on, the one that the run was begun on. */
function openBackend(
  { backend: asked, threads, isa }: TuneSettings,
  { activations }: TuneConfig,
  before: RunRecord | null,
  listener: TuneListener,
): Promise<Backend> {
  const options = { activations, ...defined({ threads, isa }) };
  return chooseBackend(asked ?? before?.backend.name, options, (text) => listener.event({ type: "note", text }));
}

function backendText(now: BackendInfo, before: RunRecord | null): string {
  const began = before?.backend ?? now;
  const differs = began.name !== now.name || began.isa !== now.isa;
  const other = differs ? `; the run was begun on ${began.name} (${began.isa}), its bits would be others` : "";
  const threadsText = now.threads === 1 ? "1 thread" : `${now.threads} threads`;
  return `${now.name} (${now.isa}), ${threadsText}${other}`;
}

async function learn(
  backend: Backend,
  checkpoint: Checkpoint,
  { config, model }: RunRecord,
  { plan, heldOut, options }: Work,
  folder: RunFolder,
  listener: TuneListener,
): Promise<TuneResult> {
  const { signal } = listener;
  const weights = await loadWeights(backend, checkpoint.config, checkpoint.tensors, {
    naming: checkpoint.naming,
    screenHead: false,
    signal,
    onProgress: (done, total) => listener.progress({ phase: "weights", what: checkpoint.path, done, total }),
  });
  const learner = new Learner(backend, checkpoint.config, weights, config, options);
  for await (const event of train({ learner, config, plan, heldOut, store: folder, signal })) listener.event(event);
  await exportTuned(learner, checkpoint, config, model.name, folder);
  const result = await folder.finish(config.method, plan.steps);
  listener.event({ type: "end", ...result });
  return result;
}

function sourcesOf({ data, heldOutData }: TuneSettings, before: RunRecord | null) {
  if (before === null) return { data, heldOutData };
  if (before.data.train === null && data.length === 0) {
    throw new GemmaError("ERR_USAGE", "data: must be given again, for the run's examples are rows of a program");
  }
  return { data: before.data.train ?? data, heldOutData: before.data.heldOut ?? heldOutData };
}

function names(data: TuneData): string[] | null {
  const found = dataNames(data);
  return found && [...found];
}
