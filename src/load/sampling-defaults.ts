import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";
import { type JsonValue, parseJson } from "../format/json.js";
import { type FileTree, readWhole } from "./file-tree.js";

/** How answers are drawn unless a request says otherwise. */
export interface SamplingDefaults {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
}

const MAX_BYTES = 1 << 20;

/**
 * What `generation_config.json` in the folder of a model or an adapter says; other keys are not looked at.
 * @throws ERR_INVALID_TYPE, ERR_RANGE, and what parseJson throws
 */
export function samplingDefaults(tree: FileTree, folder: string): SamplingDefaults {
  const path = tree.join(folder, "generation_config.json");
  if (!tree.exists(path)) return {};
  const json = parseJson(readWhole(tree, path, MAX_BYTES), path);
  if (!(json instanceof Map)) throw wrongType(path, "an object", json);
  const number = (key: string, most: number, least = 0) => expectNumber(json.get(key), `${path}: ${key}`, least, most);
  const topK = number("top_k", 2 ** 31 - 1);
  if (topK !== undefined && !Number.isInteger(topK)) {
    throw new GemmaError("ERR_RANGE", `${path}: top_k: must be an integer, got ${topK}`);
  }
  const penalty = defined({ repetitionPenalty: number("repetition_penalty", 1e3, 1e-3) });
  const sampling = defined({ temperature: number("temperature", 100), topK, topP: number("top_p", 1) });
  const samples = json.get("do_sample") ?? true;
  if (typeof samples !== "boolean") throw wrongType(`${path}: do_sample`, "true or false", samples);
  return { ...(samples ? sampling : { temperature: 0 }), ...penalty };
}

function expectNumber(value: JsonValue | undefined, where: string, least: number, most: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw wrongType(where, "a number", value);
  if (value >= least && value <= most) return value;
  throw new GemmaError("ERR_RANGE", `${where}: must be in ${least}..${most}, got ${value}`);
}

function wrongType(where: string, wanted: string, value: JsonValue): GemmaError {
  const got =
    value === null ? "null" : Array.isArray(value) ? "an array" : value instanceof Map ? "an object" : typeof value;
  return new GemmaError("ERR_INVALID_TYPE", `${where}: must be ${wanted}, got ${got}`);
}
