import { describe, expect, test } from "vitest";
import { schemaGrammar } from "./schema-grammar.js";

const refused = (schema: unknown): string => {
  try {
    schemaGrammar(schema);
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_SCHEMA" });
    return (error as Error).message;
  }
  return expect.unreachable(`must be refused: ${JSON.stringify(schema).slice(0, 200)}`);
};
const chain = (length: number, last: unknown) => ({
  $ref: "#/$defs/d0",
  $defs: Object.fromEntries([
    ...Array.from({ length }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}` }]),
    [`d${length}`, last],
  ]),
});
const inside = (schema: unknown) => ({ type: "object", properties: { a: schema } });

describe("what is not enforced is an error that names its path", () => {
  test.each([
    ["multipleOf", { type: "integer", multipleOf: 3 }],
    ["format", { type: "string", format: "date" }],
    ["maxLength", { type: "string", maxLength: 3 }],
    ["minLength", { type: "string", minLength: 2 }],
    ["not", { not: {} }],
    ["uniqueItems", { type: "array", uniqueItems: true }],
    ["contains", { type: "array", contains: {} }],
    ["if", { if: {}, else: {} }],
    ["dependentRequired", { type: "object", dependentRequired: {} }],
    ["patternProperties", { type: "object", patternProperties: {} }],
    ["propertyNames", { type: "object", propertyNames: { pattern: "a" } }],
    ["minProperties", { type: "object", minProperties: 1 }],
    ["unevaluatedProperties", { type: "object", unevaluatedProperties: false }],
    ["$dynamicRef", { $dynamicRef: "#a" }],
    ["$id", { $id: "other" }],
    ["nullable", { type: "string", nullable: true }],
    ["additionalProperties", { properties: { b: {} }, additionalProperties: { type: "string" } }],
    ["type", { anyOf: [{}], type: "string" }],
    ["minimum", { enum: [1], minimum: 0 }],
    ["constructor", JSON.parse('{"constructor":1}')],
    ["__proto__", JSON.parse('{"__proto__":{"type":"string"}}')],
  ])("%s", (keyword, schema) => {
    expect(refused(inside(schema))).toMatch(new RegExp(`^schema: #/properties/a/${keyword.replace("$", "\\$")} `));
  });

  test("paths are JSON pointers", () => {
    const schema = { properties: { "a/b~c": { prefixItems: [true, { anyOf: [{ items: { not: true } }] }] } } };
    expect(refused(schema)).toBe("schema: #/properties/a~1b~0c/prefixItems/1/anyOf/0/items/not is not supported");
  });
});

test.each([
  [3, "must be an object or a boolean"],
  [false, "must allow some value"],
  [{ type: "text" }, "must name JSON types"],
  [{ type: [] }, "must name JSON types"],
  [{ enum: [] }, "must allow some value"],
  [{ enum: ["a"], type: "integer" }, "must allow some value"],
  [{ anyOf: [] }, "must be an array of schemas"],
  [{ type: "integer", minimum: 3, exclusiveMaximum: 3 }, "must allow an integer"],
  [{ type: "number", minimum: 1, maximum: 0.5 }, "must allow a number"],
  [{ type: "number", minimum: 1e-9 }, "must have bounds"],
  [{ type: "number", minimum: "1" }, "must be a number"],
  [{ type: "array", minItems: -1 }, "must be a count"],
  [{ type: "array", minItems: 3, maxItems: 2 }, "must allow 3 items"],
  [{ type: "array", prefixItems: [true], minItems: 2 }, "must allow 2 items"],
  [{ type: "object", required: ["a"], additionalProperties: false }, "must name properties"],
  [{ $ref: "http://example.com/a" }, "must begin with #/"],
  [{ $ref: "#/$defs/none" }, "must name a schema of this document"],
  [{ $ref: "#/__proto__" }, "must name a schema of this document"],
  [{ oneOf: [{ type: "integer" }, { type: "number" }] }, "told apart"],
  [{ oneOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }, "told apart"],
  [{ allOf: [{}, {}] }, "one schema only"],
])("refused: %j", (schema, message) => {
  expect(refused(schema)).toContain(message);
});

test.each([
  "(a",
  "a)",
  "[a",
  "(?=a)b",
  "(?<n>a)",
  "a\\b",
  "\\1",
  "a{3,2}",
  "*a",
  "a**",
  "\\p{L}",
  "a^b",
  "[z-a]",
  "(a*)*b",
  "(a?)+",
  "a{1,999999}",
  "(a{100}){100}",
  "(){9999}",
])("pattern %s is refused", (pattern) => {
  expect(refused({ type: "string", pattern })).toMatch(/^schema: #\/pattern must have/);
});

test("references must come to an end", () => {
  expect(refused({ $ref: "#" })).toContain("must have an end");
  expect(refused({ anyOf: [{ $ref: "#" }, { type: "null" }] })).toContain("itself alone");
  const endless = { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] };
  expect(refused(endless)).toContain("must have an end");
  const pair = { type: "array", prefixItems: [{ $ref: "#/$defs/pair" }] };
  expect(refused({ $defs: { pair }, properties: { a: { $ref: "#/$defs/pair" } } })).toContain(
    "$defs/pair must have an end",
  );
  const list = {
    type: "object",
    properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
    required: ["next"],
  };
  expect(schemaGrammar(list)).toContain("root ::=");
});

/** Texts that no other list has. */
function numbered(length: number, list: number): string[] {
  return Array.from({ length }, (_, i) => `${list}x${i}`);
}

test("names that are required again and again cost no more than once", () => {
  const option = (i: number) => ({
    properties: { k: { enum: numbered(100, i) } },
    required: new Array(3000).fill("k"),
  });
  const many = Object.fromEntries(numbered(1900, 0).map((name) => [name, { type: "null" }]));
  const start = process.cpuUsage();
  expect(schemaGrammar({ oneOf: Array.from({ length: 64 }, (_, i) => option(i)) })).toContain("63x99");
  expect(schemaGrammar({ properties: many, required: new Array(400_000).fill("0x1") })).toContain("0x1899");
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
});

test("bombs are refused at once", () => {
  const deep = (depth: number): unknown => (depth === 0 ? {} : { type: "array", items: deep(depth - 1) });
  const bombs: unknown[] = [
    { type: "array", maxItems: 1e9 },
    { type: "array", minItems: 1e9 },
    { type: "array", items: { type: "array", items: {}, maxItems: 1e6 } },
    { type: "string", pattern: "(a*)*b" },
    { type: "string", pattern: "((a{999}){999}){999}" },
    { type: "string", pattern: "a".repeat(100_000) },
    { type: "string", pattern: "(".repeat(500) },
    chain(1000, { $ref: "#/$defs/d0" }),
    chain(1000, { type: "null" }),
    deep(1000),
    { enum: Array.from({ length: 100_000 }, (_, i) => `value ${i}`) },
    { const: JSON.parse("[".repeat(1000) + "]".repeat(1000)) },
    { properties: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`p${i}`, {}])) },
    { anyOf: new Array(100_000).fill({ type: "string" }) },
    { oneOf: new Array(100_000).fill({ type: "string" }) },
    { oneOf: Array.from({ length: 64 }, (_, i) => ({ enum: numbered(3000, i) })) },
    {
      oneOf: Array.from({ length: 64 }, (_, i) => ({
        properties: { k: { enum: numbered(3000, i) } },
        required: ["k"],
      })),
    },
  ];
  for (const bomb of bombs) {
    const start = process.cpuUsage(); // other processes may hold this one up
    refused(bomb);
    expect(process.cpuUsage(start).user / 1000, JSON.stringify(bomb).slice(0, 60)).toBeLessThan(300);
  }
});
