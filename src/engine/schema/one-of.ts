import { resolveRef } from "./ref.js";
import {
  invalid,
  isObject,
  MAX_VALUES_CHARS,
  own,
  pointer,
  type SchemaObject,
  tooManyValues,
  typeOfValue,
  typesOf,
} from "./types.js";

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
  const reader = new FactsReader(path);
  const all = options.map((option, i) => {
    const schema = follow(root, option, pointer(path, i));
    return isObject(schema) ? reader.facts(schema) : null;
  });
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(0, i)) {
      if (a && b && excludes(a, b)) continue;
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

/** What tells an option apart. */
interface Facts {
  /** Its values, as JSON; null: any. */
  readonly constants: ReadonlySet<string> | null;
  /** "number" has "integer" with it; null: unknown. */
  readonly types: ReadonlySet<string> | null;
  /** Values of the properties that it requires. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>;
}

function excludes(a: Facts, b: Facts): boolean {
  if (a.constants && b.constants) return disjoint(a.constants, b.constants);
  if (a.types && b.types && disjoint(a.types, b.types)) return true;
  if (!a.types || !b.types || [...a.types, ...b.types].some((type) => type !== "object")) return false;
  return [...a.fields].some(([name, values]) => b.fields.has(name) && disjoint(values, b.fields.get(name)!));
}

/** Reads each option once, and no more of their values than a grammar may have: a schema is some client's. */
class FactsReader {
  private chars = 0;

  constructor(private readonly path: string) {}

  facts(schema: SchemaObject): Facts {
    return { constants: this.constants(schema), types: this.types(schema), fields: this.fields(schema) };
  }

  private constants(schema: SchemaObject): Set<string> | null {
    const values = listed(schema);
    if (values === null) return null;
    const written = new Set<string>();
    for (const value of values) {
      const json = JSON.stringify(value) ?? "null";
      this.chars += json.length;
      if (this.chars > MAX_VALUES_CHARS) throw tooManyValues(this.path);
      written.add(json);
    }
    return written;
  }

  private types(schema: SchemaObject): Set<string> | null {
    const types = listed(schema)?.map(typeOfValue) ?? typesOf(schema, this.path);
    return types && new Set(types.flatMap((type) => (type === "number" ? ["number", "integer"] : [type])));
  }

  private fields(schema: SchemaObject): Map<string, Set<string>> {
    const required = own(schema, "required");
    const properties = own(schema, "properties");
    const result = new Map<string, Set<string>>();
    if (!Array.isArray(required) || !isObject(properties)) return result;
    for (const name of new Set(required)) {
      const property = own(properties, name);
      const values = isObject(property) ? this.constants(property) : null;
      if (values) result.set(name, values);
    }
    return result;
  }
}

/** The values that a schema lists; null: it lists none. */
function listed(schema: SchemaObject): readonly unknown[] | null {
  if (Object.hasOwn(schema, "const")) return [own(schema, "const")];
  const values = own(schema, "enum");
  return Array.isArray(values) ? values : null;
}

function disjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].every((value) => !b.has(value));
}
