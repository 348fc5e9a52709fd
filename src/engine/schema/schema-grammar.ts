import { choice, type Expr, Grammar, optional, repeat, sequence, text } from "./grammar.js";
import { type Bound, integerExpr, numberExpr } from "./numbers.js";
import { expectDisjoint } from "./one-of.js";
import { patternExpr } from "./pattern.js";
import { resolveRef } from "./ref.js";
import { anyString } from "./strings.js";
import {
  checkKeywords,
  invalid,
  isObject,
  MAX_VALUES_CHARS,
  own,
  pointer,
  type SchemaObject,
  type TypeName,
  tooManyValues,
  typeOfValue,
  typesOf,
} from "./types.js";
import { MAX_JSON_DEPTH, writeJson } from "./write-json.js";

const MAX_DEPTH = 64;
const MAX_SCHEMAS = 2000;
const MAX_ITEMS = 1000;

const COMMA = text(", ");
const COLON = text(": ");

/**
 * The grammar, in EBNF, of the JSON texts that conform to a schema. Texts have one form: properties in the order of the
 * schema, one space behind commas and colons, no other.
 *
 * A schema without `additionalProperties` gets objects of its named properties alone: what is written conforms, not
 * everything that conforms can be written.
 *
 * @throws ERR_SCHEMA `schema: #/properties/a/multipleOf is not supported`
 */
export function schemaGrammar(schema: unknown): string {
  const grammar = new Grammar();
  setSchema(grammar, grammar.declare("#", "root"), schema);
  return grammar.print();
}

/** Makes a rule of a larger grammar stand for the JSON texts that conform to a schema. @throws ERR_SCHEMA */
export function setSchema(grammar: Grammar, rule: Expr & { kind: "rule" }, schema: unknown): void {
  grammar.set(rule, new SchemaConverter(grammar, rule, schema).convert());
}

class SchemaConverter {
  private readonly references = new Map<string, Expr>();
  private valueChars = 0;
  private schemas = 0;

  constructor(
    private readonly grammar: Grammar,
    rule: Expr,
    private readonly root: unknown,
  ) {
    this.references.set("#", rule);
  }

  convert(): Expr {
    return this.schema(this.root, "#", 0);
  }

  private schema(schema: unknown, path: string, depth: number): Expr {
    if (depth > MAX_DEPTH) throw invalid(path, `must be at most ${MAX_DEPTH} schemas deep, got more`);
    if (++this.schemas > MAX_SCHEMAS) throw invalid(path, `must be among the first ${MAX_SCHEMAS} schemas, got more`);
    if (schema === true) return this.anyValue();
    if (schema === false) throw invalid(path, "must allow some value, got false");
    if (!isObject(schema)) throw invalid(path, "must be an object or a boolean");
    checkKeywords(schema, path);
    const ref = own(schema, "$ref");
    if (ref !== undefined) return this.reference(ref, pointer(path, "$ref"), depth);
    for (const key of ["anyOf", "oneOf", "allOf"] as const) {
      if (Object.hasOwn(schema, key)) return this.combination(key, own(schema, key), pointer(path, key), depth);
    }
    if (Object.hasOwn(schema, "const")) return this.values([own(schema, "const")], schema, path);
    if (Object.hasOwn(schema, "enum")) return this.values(own(schema, "enum"), schema, path);
    const types = typesOf(schema, path);
    if (types === null) return this.anyValue();
    return choice(...types.map((type) => this.typed(type, schema, path, depth)));
  }

  private typed(type: TypeName, schema: SchemaObject, path: string, depth: number): Expr {
    switch (type) {
      case "null":
        return text("null");
      case "boolean":
        return choice(text("true"), text("false"));
      case "integer":
        return integerExpr(lowerBound(schema, path), upperBound(schema, path), path);
      case "number":
        return numberExpr(lowerBound(schema, path), upperBound(schema, path), path);
      case "string":
        return this.string(schema, path);
      case "array":
        return this.array(schema, path, depth);
      case "object":
        return this.object(schema, path, depth);
      default:
        return type satisfies never;
    }
  }

  private reference(ref: unknown, path: string, depth: number): Expr {
    if (typeof ref !== "string") throw invalid(path, "must be a string");
    const known = this.references.get(ref);
    if (known) return known;
    const target = resolveRef(this.root, ref, path);
    const rule = this.grammar.declare(ref);
    this.references.set(ref, rule);
    this.grammar.set(rule, this.schema(target, ref, depth + 1));
    return rule;
  }

  private combination(key: "anyOf" | "oneOf" | "allOf", list: unknown, path: string, depth: number): Expr {
    if (!Array.isArray(list) || list.length === 0) throw invalid(path, "must be an array of schemas");
    if (key === "allOf" && list.length > 1) throw invalid(path, "is supported with one schema only");
    if (key === "oneOf") expectDisjoint(this.root, list, path);
    return choice(...list.map((option, i) => this.schema(option, pointer(path, i), depth + 1)));
  }

  private values(values: unknown, schema: SchemaObject, path: string): Expr {
    if (!Array.isArray(values)) throw invalid(pointer(path, "enum"), "must be an array");
    const types = typesOf(schema, path);
    const allowed = values.filter((value) => {
      const type = typeOfValue(value);
      return !types || types.includes(type) || (type === "integer" && types.includes("number"));
    });
    if (allowed.length === 0) throw invalid(path, "must allow some value, got none of its type");
    return choice(
      ...allowed.map((value) => {
        const written = writeJson(value, () =>
          invalid(path, `must have values at most ${MAX_JSON_DEPTH} deep, got more`),
        );
        this.valueChars += written.length;
        if (this.valueChars <= MAX_VALUES_CHARS) return text(written);
        throw tooManyValues(path);
      }),
    );
  }

  private string(schema: SchemaObject, path: string): Expr {
    const pattern = own(schema, "pattern");
    const min = count(schema, "minLength", path) ?? 0;
    // A grammar that counts characters takes the library seconds to prepare for a vocabulary of 262,144 tokens.
    if (Object.hasOwn(schema, "maxLength")) throw invalid(pointer(path, "maxLength"), "is not supported");
    if (min > 1) throw invalid(pointer(path, "minLength"), `is supported up to 1, got ${min}`);
    if (pattern === undefined) return anyString(this.grammar, min === 0 ? 0 : 1);
    if (typeof pattern !== "string") throw invalid(pointer(path, "pattern"), "must be a string");
    if (min > 0) throw invalid(pointer(path, "minLength"), "is not supported beside pattern");
    return patternExpr(pattern, pointer(path, "pattern"));
  }

  private array(schema: SchemaObject, path: string, depth: number): Expr {
    const prefix = own(schema, "prefixItems") ?? [];
    if (!Array.isArray(prefix)) throw invalid(pointer(path, "prefixItems"), "must be an array of schemas");
    const items = own(schema, "items") ?? prefix.length === 0;
    const min = count(schema, "minItems", path) ?? 0;
    const max = count(schema, "maxItems", path) ?? Number.POSITIVE_INFINITY;
    for (const [key, value] of Object.entries({ minItems: min, maxItems: max })) {
      if (Number.isFinite(value) && value > MAX_ITEMS)
        throw invalid(pointer(path, key), `must be at most ${MAX_ITEMS}, got ${value}`);
    }
    const fixed = prefix
      .slice(0, max)
      .map((item, i) => this.schema(item, pointer(pointer(path, "prefixItems"), i), depth + 1));
    const most = items === false ? 0 : max - fixed.length;
    if (min > fixed.length + most)
      throw invalid(path, `must allow ${min} items (minItems), got ${fixed.length + most}`);
    const least = Math.max(0, min - fixed.length);
    const head = fixed.flatMap((item, i) => (i === 0 ? [item] : [COMMA, item]));
    if (most === 0) return sequence(text("["), ...head, text("]"));
    const item = this.schema(items, pointer(path, "items"), depth + 1);
    if (head.length > 0) return sequence(text("["), ...head, repeat(sequence(COMMA, item), least, most), text("]"));
    const list = sequence(item, repeat(sequence(COMMA, item), Math.max(0, least - 1), most - 1));
    return sequence(text("["), least === 0 ? optional(list) : list, text("]"));
  }

  private object(schema: SchemaObject, path: string, depth: number): Expr {
    const properties = own(schema, "properties") ?? {};
    if (!isObject(properties)) throw invalid(pointer(path, "properties"), "must be an object");
    if (Object.keys(properties).length > MAX_SCHEMAS) {
      throw invalid(pointer(path, "properties"), `must be at most ${MAX_SCHEMAS}, got more`);
    }
    const required = own(schema, "required") ?? [];
    if (!Array.isArray(required) || required.some((name) => typeof name !== "string"))
      throw invalid(pointer(path, "required"), "must be an array of names");
    const extra = own(schema, "additionalProperties") ?? true;
    const names = own(schema, "propertyNames") ?? true;
    if (names !== true && JSON.stringify(names) !== '{"type":"string"}')
      throw invalid(pointer(path, "propertyNames"), "is not supported");

    const named = new Map(Object.entries(properties).map(([name, s]) => [name, { schema: s, in: "properties" }]));
    const needed = new Set(required);
    for (const name of needed) {
      if (named.has(name)) continue;
      if (extra === false)
        throw invalid(pointer(path, "required"), `must name properties, got ${JSON.stringify(name)}`);
      named.set(name, { schema: extra, in: "additionalProperties" });
    }
    if (named.size === 0) return this.map(extra, path, depth);
    if (typeof extra !== "boolean" && Object.keys(properties).length > 0)
      throw invalid(pointer(path, "additionalProperties"), "is not supported beside properties, unless true or false");
    const fields: Field[] = [...named].map(([name, property]) => {
      const at = pointer(path, property.in);
      const value = this.schema(property.schema, property.in === "properties" ? pointer(at, name) : at, depth + 1);
      const field = sequence(text(JSON.stringify(name)), COLON, value);
      return { field, required: needed.has(name), path: at };
    });
    return this.fields(fields);
  }

  /** Properties in their order; those that are not required may be left out. One rule each: the grammar grows linearly. */
  private fields(fields: readonly Field[]): Expr {
    let behind: Expr = text("}"); // what may follow a field that was written
    let begins: Expr[] = [behind]; // what may follow the brace
    for (const [index, { field, required, path }] of [...fields.entries()].reverse()) {
      const begin = sequence(field, behind);
      begins = required ? [begin] : [begin, ...begins];
      if (index === 0) break; // nothing comes before the first
      const rule = this.grammar.declare(path);
      const written = sequence(COMMA, begin);
      this.grammar.set(rule, required ? written : choice(written, behind));
      behind = rule;
    }
    return sequence(text("{"), choice(...begins));
  }

  /** An object of any names. */
  private map(value: unknown, path: string, depth: number): Expr {
    if (value === false) return text("{}");
    const field = sequence(
      anyString(this.grammar, 0),
      COLON,
      this.schema(value, pointer(path, "additionalProperties"), depth + 1),
    );
    const more = repeat(sequence(COMMA, field), 0, Number.POSITIVE_INFINITY);
    return sequence(text("{"), optional(sequence(field, more)), text("}"));
  }

  private anyValue(): Expr {
    return this.grammar.shared("any", (any) => {
      const endless = (part: Expr) => repeat(sequence(COMMA, part), 0, Number.POSITIVE_INFINITY);
      const field = sequence(anyString(this.grammar, 0), COLON, any);
      return choice(
        ...["null", "true", "false"].map(text),
        numberExpr(null, null, "#"),
        anyString(this.grammar, 0),
        sequence(text("["), optional(sequence(any, endless(any))), text("]")),
        sequence(text("{"), optional(sequence(field, endless(field))), text("}")),
      );
    });
  }
}

interface Field {
  readonly field: Expr;
  readonly required: boolean;
  readonly path: string;
}

function count(schema: SchemaObject, key: string, path: string): number | undefined {
  const value = own(schema, key);
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0))
    return value as number | undefined;
  throw invalid(pointer(path, key), `must be a count, got ${JSON.stringify(value)}`);
}

function lowerBound(schema: SchemaObject, path: string): Bound | null {
  const [loose, strict] = [limit(schema, "minimum", path), limit(schema, "exclusiveMinimum", path)];
  if (strict && (!loose || strict.value >= loose.value)) return { ...strict, strict: true };
  return loose;
}

function upperBound(schema: SchemaObject, path: string): Bound | null {
  const [loose, strict] = [limit(schema, "maximum", path), limit(schema, "exclusiveMaximum", path)];
  if (strict && (!loose || strict.value <= loose.value)) return { ...strict, strict: true };
  return loose;
}

function limit(schema: SchemaObject, key: string, path: string): Bound | null {
  const value = own(schema, key);
  if (value === undefined) return null;
  if (typeof value !== "number" || !Number.isFinite(value)) throw invalid(pointer(path, key), "must be a number");
  return { value, strict: false };
}
