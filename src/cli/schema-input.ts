import { readFileSync, statSync } from "node:fs";
import { fromSystemError, GemmaError } from "../base/errors.js";
import { schemaGrammar } from "../engine/schema/schema-grammar.js";

const MAX_BYTES = 1 << 20;

/**
 * The schema of `--json-schema`: JSON where it begins with a brace, else a file. It is checked here, before a model is
 * loaded. @throws ERR_SCHEMA, ERR_INVALID_JSON, ERR_MISSING_FILE, ERR_LIMIT_EXCEEDED
 */
export function readSchema(argument: string): Readonly<Record<string, unknown>> {
  const schema = readJson(argument, "--json-schema");
  schemaGrammar(schema);
  if (typeof schema === "object") return schema as Readonly<Record<string, unknown>>;
  throw new GemmaError("ERR_SCHEMA", `--json-schema: must be a schema object, got ${JSON.stringify(schema)}`);
}

/**
 * JSON given to a flag: the argument itself where it begins with a brace or a bracket, else a file.
 * @throws ERR_INVALID_JSON, ERR_MISSING_FILE, ERR_LIMIT_EXCEEDED
 */
export function readJson(argument: string, flag: string): unknown {
  const isFile = !/^\s*[[{]/.test(argument);
  const json = isFile ? readSmall(argument) : argument;
  try {
    return JSON.parse(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GemmaError("ERR_INVALID_JSON", `${isFile ? argument : flag}: must be JSON: ${reason}`);
  }
}

function readSmall(path: string): string {
  try {
    const { size } = statSync(path);
    if (size <= MAX_BYTES) return readFileSync(path, "utf8");
    throw new GemmaError("ERR_LIMIT_EXCEEDED", `${path}: must be at most ${MAX_BYTES} bytes, got ${size}`);
  } catch (error) {
    throw fromSystemError(error, path);
  }
}
