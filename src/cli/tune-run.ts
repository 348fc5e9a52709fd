import { existsSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";
import { shellWord } from "../base/shell-word.js";
import { parseObject } from "../format/json-lines.js";
import { DEFAULT_MODEL } from "../load/catalogue.js";
import { readFile } from "../load/files.js";
import type { LoadProgress } from "../runtime/protocol.js";
import { resumeTuning, type TuneCallOptions, tune } from "../runtime/tune.js";
import type { Tuning } from "../runtime/tuning.js";
import type { CliContext } from "./context.js";
import { createProgress } from "./progress.js";
import type { TuneFlags } from "./tune.js";
import { TuneProgress } from "./tune-progress.js";

const MAX_CONFIG_BYTES = 1 << 20;
const STOPPING = "stopping; Ctrl-C again ends at once";
const RECORD = "config.json"; // there once a run has begun

export async function tuneCommand(flags: TuneFlags, { output, signal }: CliContext): Promise<void> {
  const loading = createProgress();
  const isShown = !output.json || process.stderr.isTTY;
  const onProgress = ({ phase, what, done, total }: LoadProgress) => {
    if (isShown && done < total) loading.update(`${phase} ${what}`, { doneBytes: done, totalBytes: total });
  };
  const { backend, isa, threads, yes: ignoreMemory } = flags;
  const machine = { ...defined({ backend, isa, threads, ignoreMemory }), signal, onProgress };
  const [run, out] = begin(flags, machine);
  const progress = new TuneProgress(output);
  let isLearning = false; // then there is something to keep
  const onStop = () =>
    progress.show({ type: "note", text: isLearning ? `${STOPPING}, without a checkpoint` : STOPPING });
  signal.addEventListener("abort", onStop);
  try {
    for await (const event of run) {
      loading.end();
      if (output.json) output.data(event);
      progress.show(event);
      isLearning ||= event.type === "step";
    }
  } catch (error) {
    loading.end();
    progress.end();
    const isBegun = existsSync(join(out, RECORD));
    if (signal.aborted && isBegun) output.note(`${out}: stopped; go on with: gemma tune --resume ${shellWord(out)}`);
    throw error;
  } finally {
    signal.removeEventListener("abort", onStop);
  }
}

function begin(
  flags: TuneFlags,
  machine: Pick<TuneCallOptions, "backend" | "isa" | "threads" | "ignoreMemory" | "signal" | "onProgress">,
): readonly [Tuning, out: string] {
  const { backend: _, isa: __, threads: ___, yes: ____, json: _____, ...rest } = flags;
  const { resume, config, ...given } = rest;
  if (resume !== undefined) {
    const [other] = Object.keys(config === undefined ? given : { config });
    if (other === undefined) return [resumeTuning(resume, machine), resume];
    const flag = `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new GemmaError("ERR_USAGE", `tune: --resume goes on as the run began, got ${flag} beside it`, {
      hint: "leave it out, or begin another run",
    });
  }
  const { model, data, heldOut, out, ...options } = { ...fromFile(config), ...given };
  const folder = needed(out, "--out", "--out runs/first") as string;
  return [
    tune((model as string) ?? DEFAULT_MODEL, needed(data, "--data", "--data examples.jsonl") as string[], {
      ...(options as object),
      ...machine,
      ...(heldOut === undefined ? {} : { heldOutData: heldOut as string[] }),
      out: folder,
    }),
    folder,
  ];
}

/** How a run is computed, and where: the command line's to say, whoever wrote the file. */
const NOT_IN_A_FILE = [
  ...["out", "resume", "config", "backend", "isa", "threads", "ignoreMemory", "offline", "home"],
  ...["inProcess", "signal", "onProgress", "heldOutData"],
];

/** Options, and perhaps `model`, `data` and `heldOut`. */
function fromFile(path: string | undefined): Readonly<Record<string, unknown>> {
  if (path === undefined) return {};
  const object = parseObject(readFile(path, MAX_CONFIG_BYTES), path) as Record<string, unknown>;
  for (const name of NOT_IN_A_FILE) {
    if (!Object.hasOwn(object, name)) continue;
    throw new GemmaError("ERR_USAGE", `${path}: must have options of tuning alone, got ${name}`, {
      hint: "gemma tune --help has flags for how and where a run is computed",
    });
  }
  for (const name of ["data", "heldOut"] as const) {
    const value = object[name];
    const isList = Array.isArray(value) && value.every((entry) => typeof entry === "string");
    if (value === undefined || typeof value === "string" || isList) continue;
    throw new GemmaError("ERR_USAGE", `${path}: ${name} must be a name or a list of names`);
  }
  if (object.model === undefined || typeof object.model === "string") return object;
  throw new GemmaError("ERR_USAGE", `${path}: model must be a name, a source or a path`);
}

function needed(value: unknown, flag: string, example: string): unknown {
  if (value !== undefined && value !== "") return value;
  throw new GemmaError("ERR_USAGE", `tune: ${flag} is needed`, { hint: `e.g. ${example}` });
}
