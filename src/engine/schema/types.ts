import { GemmaError } from "../../base/errors.js";

/** A JSON schema's object, as JSON.parse gives it. */
export type SchemaObject = Readonly<Record<string, unknown>>;

const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
export type TypeName = (typeof TYPES)[number];

/** Keywords that speak of one type only. */
const OF_TYPE = {
  string: ["minLength", "maxLength", "pattern"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  object: ["properties", "required", "additionalProperties", "propertyNames"],
} as const;

const ANNOTATIONS = ["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"];
const CONTAINERS = ["$defs", "definitions"];
const ROOT_ONLY = ["$schema", "$id"];

/** Keywords that say which other schema counts. They stand alone. */
export const COMBINATORS = ["$ref", "anyOf", "oneOf", "allOf"] as const;
const VALUES = ["enum", "const"];
const ASSERTIONS: readonly string[] = ["type", ...Object.values(OF_TYPE).flat()];
const SILENT: readonly string[] = [...ANNOTATIONS, ...CONTAINERS, ...ROOT_ONLY];

/** An own property: a schema may have a key named like something every object inherits. */
export function own(schema: SchemaObject, key: string): unknown {
  return Object.hasOwn(schema, key) ? schema[key] : undefined;
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `#/properties/a` and `b/c` to `#/properties/a/b~1c`. */
export function pointer(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

export function invalid(path: string, what: string): GemmaError {
  return new GemmaError("ERR_SCHEMA", `schema: ${path} ${what}`);
}

/** Of all that `enum` and `const` list. */
export const MAX_VALUES_CHARS = 1 << 16;

export function tooManyValues(path: string): GemmaError {
  return invalid(path, `must keep all values within ${MAX_VALUES_CHARS} characters, got more`);
}

/** Every keyword must be one that is enforced, or one that asserts nothing. @throws ERR_SCHEMA naming its path */
export function checkKeywords(schema: SchemaObject, path: string): void {
  const keys = Object.keys(schema).filter((key) => !SILENT.includes(key));
  const alone = COMBINATORS.find((key) => Object.hasOwn(schema, key));
  for (const key of keys) {
    if (![...ASSERTIONS, ...VALUES, ...COMBINATORS].includes(key))
      throw invalid(pointer(path, key), "is not supported");
    if (alone !== undefined && key !== alone) throw invalid(pointer(path, key), `is not supported beside ${alone}`);
    const value = VALUES.find((name) => Object.hasOwn(schema, name));
    if (value !== undefined && key !== value && key !== "type")
      throw invalid(pointer(path, key), `is not supported beside ${value}`);
  }
  for (const key of ROOT_ONLY) {
    if (path !== "#" && Object.hasOwn(schema, key)) throw invalid(pointer(path, key), "is supported at the root only");
  }
}

/**
 * The types that a schema's value may have. Without `type` they follow from the keywords: a schema with `properties`
 * means an object. null: any value.
 */
export function typesOf(schema: SchemaObject, path: string): readonly TypeName[] | null {
  const type = own(schema, "type");
  if (type !== undefined) {
    const names = Array.isArray(type) ? type : [type];
    const wrong = names.find((name) => !TYPES.includes(name));
    if (names.length > 0 && wrong === undefined) return [...new Set<TypeName>(names)];
    throw invalid(pointer(path, "type"), `must name JSON types, got ${JSON.stringify(wrong)}`);
  }
  const meant = Object.entries(OF_TYPE).filter(([, keys]) => keys.some((key) => Object.hasOwn(schema, key)));
  return meant.length === 0 ? null : meant.map(([name]) => name as TypeName);
}

/** The type of a JSON value; whole numbers are integers. */
export function typeOfValue(value: unknown): TypeName {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "object" ? "object" : typeof value === "string" ? "string" : "boolean";
}
