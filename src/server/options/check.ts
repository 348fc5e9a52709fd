import { z } from "zod";
import { GemmaError } from "../../base/errors.js";
import { type JsonValue, parseJson } from "../../format/json.js";

/** What a schema found wrong first, in words. */
export interface Complaint {
  /** The keys that lead to it. */
  readonly path: readonly string[];
  /** `must be an integer in 1..64, got "x"` */
  readonly text: string;
}

/** A schema of integers from `min` to `max`. */
export function whole(min: number, max: number): z.ZodInt {
  const error = `must be an integer in ${min}..${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** The checked value, or the first complaint. Schemas state their messages as `must …`; what came is added here. */
export function check<T extends z.ZodType>(schema: T, value: unknown): { value: z.output<T> } | Complaint {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0]!;
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return { path, text: `must have no unknown keys, got ${issue.keys.map(show).join(", ")}` };
  }
  return { path, text: `${issue.message}, got ${show(issue.input)}` };
}

/** @throws ERR_INVALID_VALUE `server-keys.json: keys.0.name must …, got …` */
export function expectValid<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = check(schema, value);
  if ("value" in result) return result.value;
  const at = result.path.length === 0 ? where : `${where}: ${result.path.join(".")}`;
  throw new GemmaError("ERR_INVALID_VALUE", `${at} ${result.text}`);
}

/** JSON of a small file as plain data. Objects have no prototype, so that `__proto__` is an ordinary, unknown key. */
export function readJson(text: string, where: string): unknown {
  return plain(parseJson(text, where, { maxSize: 4 << 20, maxDepth: 16, maxValues: 200_000 }));
}

function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, item] of value) object[key] = plain(item);
  return object;
}

/** A short form of a value that came from outside. */
function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
