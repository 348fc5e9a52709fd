import type { z } from "zod";
import { GemmaError } from "../../base/errors.js";
import { check, readJson } from "./check.js";
import { type ServeOptions, serveSchema } from "./options.js";

/** An option as the schema declares it. */
export interface OptionInfo {
  /** Keys in the config file, from the outside in. */
  readonly path: readonly string[];
  readonly kind: "text" | "number" | "boolean" | "list";
  /** `--body-bytes`; of what is true by default, `--no-docs`. */
  readonly flag: string;
  /** `GEMMA_SERVE_BODY_BYTES` */
  readonly variable: string;
  readonly description: string;
  readonly defaultValue: unknown;
}

export type OptionSource = "flag" | "environment" | "file" | "default";

export interface OptionSources {
  /** Of flags, by path (`limits.bodyBytes`): text, true or false, or all values of a flag that may repeat. */
  readonly flags?: Readonly<Record<string, string | boolean | readonly string[]>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The config file: its name and what it holds. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
}

/** What a server runs with, and where each value comes from. */
export interface EffectiveOptions {
  readonly options: ServeOptions;
  /** By path: `limits.bodyBytes`. */
  readonly sources: ReadonlyMap<string, OptionSource>;
}

const PREFIX = "GEMMA_SERVE_";

/** Every option of `gemma serve`, in the schema's order. */
export const OPTIONS: readonly OptionInfo[] = optionsOf(serveSchema, []);

/**
 * Flags before environment before file before defaults.
 * @throws ERR_USAGE naming the flag, the variable or the key of the file that is wrong or unknown
 */
export function readOptions({ flags = {}, env = {}, file }: OptionSources): EffectiveOptions {
  const values = file === undefined ? {} : readConfig(file);
  const sources = new Map<string, OptionSource>();
  for (const { path } of OPTIONS) sources.set(path.join("."), getAt(values, path) === undefined ? "default" : "file");
  expectKnownVariables(env);
  for (const option of OPTIONS) {
    const text = env[option.variable];
    if (text !== undefined && text !== "") set(option, fromText(option, text), "environment");
    const given = flags[option.path.join(".")];
    if (given !== undefined) set(option, typeof given === "string" ? fromText(option, given) : given, "flag");
  }
  const result = check(serveSchema, values);
  if ("value" in result) return { options: result.value, sources };
  throw new GemmaError("ERR_USAGE", `${whereIs(result.path)} ${result.text}`.trim());

  function set({ path }: OptionInfo, value: unknown, source: OptionSource): void {
    setAt(values, path, value);
    sources.set(path.join("."), source);
  }

  function whereIs(path: readonly string[]): string {
    const option = OPTIONS.find((one) => one.path.every((key, index) => path[index] === key));
    const source = option && sources.get(option.path.join("."));
    if (source === "flag") return `serve: ${option!.flag}`;
    if (source === "environment") return `serve: ${option!.variable}`;
    return path.length === 0 ? `${file?.name}:` : `${file?.name}: ${path.join(".")}`;
  }
}

/** A line for each group: `limits: bodyBytes=2097152 choices=4 (flag) …`. Options without a value are left out. */
export function describeOptions({ options, sources }: EffectiveOptions): string[] {
  const groups = new Map<string, string[]>();
  for (const { path } of OPTIONS) {
    const value = getAt(options, path);
    if (value === undefined) continue;
    const source = sources.get(path.join("."));
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const name = path.length === 1 ? "server" : path[0]!;
    const origin = source === "default" ? "" : ` (${source})`;
    groups.set(name, [...(groups.get(name) ?? []), `${path.at(-1)}=${text}${origin}`]);
  }
  return [...groups].map(([name, parts]) => `${name}: ${parts.join(" ")}`);
}

function readConfig({ name, text }: { name: string; text: string }): object {
  const json = readJson(text, name);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw new GemmaError(
    "ERR_USAGE",
    `${name}: must be a JSON object, got ${Array.isArray(json) ? "an array" : JSON.stringify(json)}`,
  );
}

/** Else a misspelt variable would be ignored in silence. */
function expectKnownVariables(env: NonNullable<OptionSources["env"]>): void {
  const known = new Set(OPTIONS.map(({ variable }) => variable));
  for (const name of Object.keys(env)) {
    if (name.startsWith(PREFIX) && !known.has(name)) {
      throw new GemmaError("ERR_USAGE", `serve: the environment must have no unknown ${PREFIX}…, got ${name}`, {
        hint: "docs/serving.md lists the variables; Kubernetes adds such for a service of this name unless enableServiceLinks is false",
      });
    }
  }
}

/** What is not of the kind stays text: the schema says what it must be. */
function fromText({ kind }: OptionInfo, text: string): unknown {
  if (kind === "number") return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (kind === "boolean")
    return /^(1|true|yes|on)$/i.test(text) ? true : /^(0|false|no|off)$/i.test(text) ? false : text;
  if (kind === "list") return text.split(",").map((item) => item.trim());
  return text;
}

function optionsOf(schema: z.ZodObject, path: readonly string[]): OptionInfo[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const { inner, defaultValue } = unwrap(field as z.ZodType);
    const at = [...path, key];
    if (inner.def.type === "object") return optionsOf(inner as z.ZodObject, at);
    const { flag: named, description = "" } = (field as z.ZodType).meta() ?? {};
    const words = typeof named === "string" ? named : key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return {
      path: at,
      kind: kindOf(inner),
      flag: defaultValue === true ? `--no-${words}` : `--${words}`,
      variable: PREFIX + words.toUpperCase().replaceAll("-", "_"),
      description,
      defaultValue,
    };
  });
}

/** The schema inside of optional() and default(). */
function unwrap(field: z.ZodType): { inner: z.ZodType; defaultValue: unknown } {
  let inner = field;
  let defaultValue: unknown;
  for (;;) {
    const def = inner.def as { type: string; innerType?: z.ZodType; defaultValue?: unknown };
    if (def.innerType === undefined) return { inner, defaultValue };
    if (def.type === "default") defaultValue = def.defaultValue;
    inner = def.innerType;
  }
}

function kindOf({ def: { type } }: z.ZodType): OptionInfo["kind"] {
  if (type === "number" || type === "boolean") return type;
  return type === "array" ? "list" : "text";
}

function getAt(values: object, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined),
    values,
  );
}

/** What stands in the way and is no object stays: the schema complains about it. */
function setAt(values: object, [key = "", ...rest]: readonly string[], value: unknown): void {
  const target = values as Record<string, unknown>;
  if (rest.length === 0) target[key] = value;
  else {
    if (target[key] === undefined) target[key] = {};
    const inner = target[key];
    if (typeof inner === "object" && inner !== null) setAt(inner, rest, value);
  }
}
