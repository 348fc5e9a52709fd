import { isObject } from "./types.js";

/** Values nested deeper are refused: what writes them is as deep as they are. */
export const MAX_JSON_DEPTH = 64;

/**
 * A JSON value in the one form that grammars write: a space behind commas and colons, no other.
 *
 * @param tooDeep the error for a value deeper than MAX_JSON_DEPTH
 */
export function writeJson(value: unknown, tooDeep: () => Error, depth = 0): string {
  if (depth > MAX_JSON_DEPTH) throw tooDeep();
  const write = (inner: unknown) => writeJson(inner, tooDeep, depth + 1);
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}: ${write(field)}`).join(", ")}}`;
}
