import { GemmaError } from "../base/errors.js";
import type { JsonObject } from "../format/json.js";
import { describeJson, expectObject, getNumber } from "../format/json-read.js";
import type { GemmaConfig } from "./config.js";

type Rope = Pick<GemmaConfig, "ropeTheta" | "ropeLocalTheta" | "ropeScalingFactor">;

/**
 * RoPE bases and scaling. transformers 4 writes rope_theta, rope_local_base_freq and rope_scaling; 5 writes
 * rope_parameters, with a part for each layer type in Gemma 3. Files that mix both exist: 5's keys win.
 */
export function hfRope(text: JsonObject, generation: 1 | 2 | 3, where: string): Rope {
  const parameters = optionalObject(text, "rope_parameters", where);
  const full = optionalObject(parameters, "full_attention", `${where}: rope_parameters`);
  const local = optionalObject(parameters, "sliding_attention", `${where}: rope_parameters`);
  const flat = full.size === 0 && local.size === 0 ? parameters : full;
  const legacy = optionalObject(text, "rope_scaling", where);

  const ropeTheta = firstNumber([flat, text], "rope_theta", generation === 3 ? 1_000_000 : 10_000, where);
  const fullFactor = scalingFactor(flat, where) ?? scalingFactor(legacy, where) ?? 1;
  const localTheta = local.has("rope_theta")
    ? getNumber(local, "rope_theta", where)
    : firstNumber([text], "rope_local_base_freq", 10_000, where);
  if ((scalingFactor(local, where) ?? 1) !== 1 || (generation === 2 && fullFactor !== 1)) {
    throw new GemmaError("ERR_UNSUPPORTED_OPTION", `${where}: sliding layers must have RoPE without scaling`);
  }
  return {
    ropeTheta,
    ropeLocalTheta: generation === 3 ? localTheta : ropeTheta,
    ropeScalingFactor: fullFactor,
  };
}

/** The factor of linear scaling, 1 for the plain form, undefined where no type is named. */
function scalingFactor(rope: JsonObject, where: string): number | undefined {
  const type = rope.get("rope_type") ?? rope.get("type");
  if (type === undefined) return undefined;
  if (type === "default") return 1;
  if (type === "linear") return getNumber(rope, "factor", `${where}: rope_scaling`);
  throw new GemmaError(
    "ERR_UNSUPPORTED_OPTION",
    `${where}: rope_type must be default or linear, got ${describeJson(type)}`,
  );
}

function optionalObject(object: JsonObject, key: string, where: string): JsonObject {
  const value = object.get(key) ?? null;
  return value === null ? new Map() : expectObject(value, `${where}: ${key}`);
}

function firstNumber(objects: readonly JsonObject[], key: string, otherwise: number, where: string): number {
  const found = objects.find((object) => object.has(key));
  return found === undefined ? otherwise : getNumber(found, key, where);
}
