import { existsSync, readFileSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { shellWord } from "../base/shell-word.js";
import type { TrainingRun } from "../eval/tuning/tuning-report.js";

type Value = string | number | boolean | null;
type Fields = Readonly<Record<string, unknown>>;

/** Points of a curve that a report keeps. */
const MOST_POINTS = 400;
const COSTS = ["tokens", "targets", "examples", "seconds", "peakBytes"] as const;

export interface ReadRun {
  readonly run: TrainingRun;
  /** What was tuned, by the name that the run was told. */
  readonly model: string | undefined;
  /** The template that the run was told; undefined: as the model chats. */
  readonly template: string | undefined;
  /** What came of it: an adapter's folder, or a whole model's. */
  readonly result: { readonly kind: "adapter" | "model"; readonly path: string };
}

/**
 * What a folder of `gemma tune` tells: config.json, and metrics.jsonl where there is one.
 * @throws ERR_MISSING_FILE without config.json or the tuned weights, ERR_INVALID_JSON
 */
export function readTrainingRun(folder: string): ReadRun {
  const record = parse(textOf(join(folder, "config.json")), join(folder, "config.json"));
  const metrics = join(folder, "metrics.jsonl");
  const lines = wholeLines(metrics).map((line, i) => parse(line, `${metrics}:${i + 1}`));
  const steps = lines.filter(({ type }) => type === "step");
  const config = flatten(record);
  const told = (name: string) => (typeof config[name] === "string" ? config[name] : undefined);
  const run: TrainingRun = {
    ...{ folder: basename(resolve(folder)), config, losses: curve(steps, "loss") },
    heldOut: curve(lines, "heldOutLoss"),
    costs: costsOf(steps),
  };
  const { model } = record;
  const name = isFields(model) ? model.name : undefined;
  return {
    ...{ run, model: typeof name === "string" ? name : undefined, template: told("config.template") },
    result: resultOf(folder),
  };
}

function resultOf(folder: string): ReadRun["result"] {
  for (const kind of ["adapter", "model"] as const) {
    const path = join(folder, kind);
    if (existsSync(path)) return { kind, path };
  }
  const hint = `a run that was stopped has no result yet: gemma tune --resume ${shellWord(folder)}`;
  throw new GemmaError("ERR_MISSING_FILE", `${folder}: must have an adapter or a model, got neither`, { hint });
}

/** The lines that have such a loss, evenly thinned out, both ends among them. */
function curve(lines: readonly Fields[], name: string): TrainingRun["losses"] {
  const points = lines.flatMap((line) => {
    const { step, [name]: loss } = line;
    return isNumber(step) && isNumber(loss) ? [{ step, loss }] : [];
  });
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

/** Each step tells what the run has cost up to it. */
function costsOf(steps: readonly Fields[]): Record<string, number> {
  const last = steps.at(-1) ?? {};
  const entries = COSTS.map((name) => [name, last[name]] as const);
  const known = entries.filter((entry): entry is [(typeof COSTS)[number], number] => isNumber(entry[1]));
  return steps.length === 0 ? {} : { steps: steps.length, ...Object.fromEntries(known) };
}

/** Nested keys with points, lists as texts. Where on a machine a file lay is no part of what was done. */
function flatten(fields: Fields, path = "", into: Record<string, Value> = {}): Record<string, Value> {
  for (const [key, value] of Object.entries(fields)) {
    const name = path === "" ? key : `${path}.${key}`;
    if (isFields(value)) flatten(value, name, into);
    else into[name] = Array.isArray(value) ? value.map((one) => placeless(String(one))).join(", ") : plain(value);
  }
  return into;
}

function plain(value: unknown): Value {
  return typeof value === "string" ? placeless(value) : (value as Value);
}

function placeless(text: string): string {
  return isAbsolute(text) ? basename(text) : text;
}

/** None of a file that is not there, nor of a line that was not finished. */
function wholeLines(path: string): string[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    return lines.filter((line) => line.trim() !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fromSystemError(error, path);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const known = fromSystemError(error, path);
    if (!(known instanceof GemmaError) || known.code !== "ERR_MISSING_FILE") throw known;
    const hint = "--run is a folder that gemma tune wrote; a bare adapter is named with --adapter";
    throw new GemmaError(known.code, known.message, { hint, cause: error });
  }
}

function parse(text: string, where: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (isFields(value)) return value;
  } catch {
    // told below
  }
  throw new GemmaError("ERR_INVALID_JSON", `${where}: must be a JSON object, got ${JSON.stringify(text.slice(0, 40))}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
