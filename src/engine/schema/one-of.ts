import { resolveRef } from "./ref.js";
import { invalid, isObject, own, pointer, type SchemaObject, typeOfValue, typesOf } from "./types.js";

const MAX_OPTIONS = 64;

/**
 * oneOf wants exactly one match. A grammar can only write what one option allows, so options must exclude each other
 * plainly: by type, by their constants, or by the constants of a property that both require.
 *
 * @throws ERR_SCHEMA for options that may overlap
 */
export function expectDisjoint(root: unknown, options: readonly unknown[], path: string): void {
  if (options.length > MAX_OPTIONS)
    throw invalid(path, `must have at most ${MAX_OPTIONS} schemas, got ${options.length}`);
  const resolved = options.map((option, i) => follow(root, option, pointer(path, i)));
  for (const [i, a] of resolved.entries()) {
    for (const b of resolved.slice(0, i)) {
      if (isObject(a) && isObject(b) && excludes(a, b, path)) continue;
      const what = "must have options told apart by type, const, enum, or a required property with const or enum";
      throw invalid(path, `${what}; write anyOf where several may match`);
    }
  }
}

/** The schema behind references. */
function follow(root: unknown, schema: unknown, path: string): unknown {
  let target = schema;
  for (let hops = 0; hops < 16 && isObject(target); hops++) {
    const ref = own(target, "$ref");
    if (typeof ref !== "string") return target;
    target = resolveRef(root, ref, path);
  }
  return target;
}

function excludes(a: SchemaObject, b: SchemaObject, path: string): boolean {
  const [valuesA, valuesB] = [constants(a), constants(b)];
  if (valuesA && valuesB) return disjoint(valuesA, valuesB);
  const [typesA, typesB] = [typeSet(a, path), typeSet(b, path)];
  if (typesA && typesB && disjoint(typesA, typesB)) return true;
  if (!typesA || !typesB || [...typesA, ...typesB].some((type) => type !== "object")) return false;
  const [fieldsA, fieldsB] = [requiredConstants(a), requiredConstants(b)];
  return [...fieldsA].some(([name, values]) => fieldsB.has(name) && disjoint(values, fieldsB.get(name)!));
}

/** Types of a schema, "number" with "integer" in it; null: unknown. */
function typeSet(schema: SchemaObject, path: string): Set<string> | null {
  const listed = own(schema, "enum") ?? (Object.hasOwn(schema, "const") ? [own(schema, "const")] : undefined);
  const types = Array.isArray(listed) ? listed.map(typeOfValue) : typesOf(schema, path);
  return types && new Set(types.flatMap((type) => (type === "number" ? ["number", "integer"] : [type])));
}

function constants(schema: SchemaObject): Set<string> | null {
  if (Object.hasOwn(schema, "const")) return new Set([JSON.stringify(own(schema, "const"))]);
  const values = own(schema, "enum");
  return Array.isArray(values) ? new Set(values.map((value) => JSON.stringify(value))) : null;
}

function requiredConstants(schema: SchemaObject): Map<string, Set<string>> {
  const required = own(schema, "required");
  const properties = own(schema, "properties");
  const result = new Map<string, Set<string>>();
  if (!Array.isArray(required) || !isObject(properties)) return result;
  for (const name of required) {
    const property = own(properties, name);
    const values = isObject(property) ? constants(property) : null;
    if (values) result.set(name, values);
  }
  return result;
}

function disjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].every((value) => !b.has(value));
}
