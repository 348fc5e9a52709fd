import { readFileSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { fromSystemError, GemmaError } from "../base/errors.js";
import type { TrainingRun } from "../eval/tuning/tuning-report.js";

type Value = string | number | boolean | null;

/** Points of a curve that a report keeps. */
const MOST_POINTS = 400;
/** Totals that metrics.jsonl may tell in its lines: the last one counts, of `peakBytes` the highest. */
const COSTS = ["tokens", "targets", "examples", "seconds", "peakBytes"] as const;

export interface ReadRun {
  readonly run: TrainingRun;
  /** The model that was tuned, as the run was told it. */
  readonly model: string | undefined;
}

/** What a run folder tells of the tuning: config.json, and metrics.jsonl where there is one. @throws ERR_MISSING_FILE, ERR_INVALID_JSON */
export function readTrainingRun(folder: string): ReadRun {
  const config = flatten(parse(textOf(join(folder, "config.json")), join(folder, "config.json")));
  const metrics = join(folder, "metrics.jsonl");
  const lines = wholeLines(metrics).map((line, i) => parse(line, `${metrics}:${i + 1}`));
  const points = lines.flatMap((line) => pointOf(line) ?? []);
  const model = config["model.name"];
  const run = { folder: basename(resolve(folder)), config: withoutPlaces(config), steps: thinned(mergeSteps(points)) };
  return { run: { ...run, costs: costsOf(lines) }, model: typeof model === "string" ? model : undefined };
}

/** Where on a machine a file lay is no part of what was done. */
function withoutPlaces(config: Record<string, Value>): Record<string, Value> {
  const entries = Object.entries(config);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" && isAbsolute(value) ? basename(value) : value]),
  );
}

type Point = { readonly step: number; readonly loss?: number; readonly heldOutLoss?: number };

function pointOf(line: Record<string, unknown>): Point | null {
  const { step, loss, heldOutLoss } = line;
  if (!isNumber(step) || !(isNumber(loss) || isNumber(heldOutLoss))) return null;
  return { step, ...(isNumber(loss) ? { loss } : {}), ...(isNumber(heldOutLoss) ? { heldOutLoss } : {}) };
}

/** A step's training and held-out loss may stand in lines of their own. A held-out loss goes to the nearest step with a loss. */
function mergeSteps(points: readonly Point[]): TrainingRun["steps"] {
  const steps: { step: number; loss: number; heldOutLoss?: number }[] = points.flatMap(({ step, loss }) =>
    loss === undefined ? [] : [{ step, loss }],
  );
  for (const { step, heldOutLoss } of points) {
    if (heldOutLoss === undefined) continue;
    const near = steps.reduce<(typeof steps)[number] | null>((best, one) => {
      return best === null || Math.abs(one.step - step) < Math.abs(best.step - step) ? one : best;
    }, null);
    if (near !== null) near.heldOutLoss = heldOutLoss;
  }
  return steps;
}

/** Evenly; points with a held-out loss and both ends stay. */
function thinned(steps: TrainingRun["steps"]): TrainingRun["steps"] {
  const every = Math.ceil(steps.length / MOST_POINTS);
  return steps.filter((step, i) => i % every === 0 || i === steps.length - 1 || step.heldOutLoss !== undefined);
}

function costsOf(lines: readonly Record<string, unknown>[]): Record<string, number> {
  const costs: Record<string, number> = {};
  for (const line of lines) {
    for (const name of COSTS) {
      const value = line[name];
      if (isNumber(value)) costs[name] = name === "peakBytes" ? Math.max(costs[name] ?? 0, value) : value;
    }
  }
  return costs;
}

/** Nested keys with points, lists as texts. */
function flatten(value: Record<string, unknown>, path = "", into: Record<string, Value> = {}): Record<string, Value> {
  for (const [key, inner] of Object.entries(value)) {
    const name = path === "" ? key : `${path}.${key}`;
    if (Array.isArray(inner)) into[name] = inner.map((one) => (typeof one === "object" ? "…" : String(one))).join(", ");
    else if (typeof inner === "object" && inner !== null) flatten(inner as Record<string, unknown>, name, into);
    else into[name] = inner as Value;
  }
  return into;
}

/** None of a file that is not there, nor of a line that was not finished. */
function wholeLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.trim() !== "");
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

function parse(text: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new GemmaError("ERR_INVALID_JSON", `${where}: must be a JSON object, got ${JSON.stringify(text.slice(0, 40))}`);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
