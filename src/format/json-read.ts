import { GemmaError } from "../base/errors.js";
import type { JsonObject, JsonValue } from "./json.js";

// Typed access to parsed JSON. `where` names the object in messages: `config.json: hidden_size must be an
// integer, got "x"`. A missing key throws ERR_MISSING_KEY, another type ERR_INVALID_TYPE.

/** `value` as an object. */
export function expectObject(value: JsonValue | undefined, where: string): JsonObject {
  if (value instanceof Map) return value as JsonObject;
  throw wrongType(where, "an object", value);
}

/** `value` as an array. */
export function expectArray(value: JsonValue | undefined, where: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw wrongType(where, "an array", value);
}

export function getObject(object: JsonObject, key: string, where: string): JsonObject {
  return expectObject(present(object, key, where), `${where}: ${key}`);
}

export function getArray(object: JsonObject, key: string, where: string): readonly JsonValue[] {
  return expectArray(present(object, key, where), `${where}: ${key}`);
}

export function getString(object: JsonObject, key: string, where: string): string {
  const value = present(object, key, where);
  if (typeof value === "string") return value;
  throw wrongType(`${where}: ${key}`, "a string", value);
}

export function getNumber(object: JsonObject, key: string, where: string): number {
  const value = present(object, key, where);
  if (typeof value === "number") return value;
  throw wrongType(`${where}: ${key}`, "a number", value);
}

/** A whole number of at most 2^53 in size. */
export function getInteger(object: JsonObject, key: string, where: string): number {
  const value = present(object, key, where);
  if (Number.isSafeInteger(value)) return value as number;
  throw wrongType(`${where}: ${key}`, "an integer", value);
}

export function getBoolean(object: JsonObject, key: string, where: string): boolean {
  const value = present(object, key, where);
  if (typeof value === "boolean") return value;
  throw wrongType(`${where}: ${key}`, "true or false", value);
}

function present(object: JsonObject, key: string, where: string): JsonValue {
  const value = object.get(key);
  if (value === undefined) throw new GemmaError("ERR_MISSING_KEY", `${where}: ${key} must be present, got no such key`);
  return value;
}

function wrongType(what: string, expected: string, value: JsonValue | undefined): GemmaError {
  return new GemmaError("ERR_INVALID_TYPE", `${what} must be ${expected}, got ${describeJson(value)}`);
}

/** A short form of any value for messages. */
export function describeJson(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value instanceof Map) return "an object";
  if (Array.isArray(value)) return "an array";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
