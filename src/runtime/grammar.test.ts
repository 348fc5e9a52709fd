import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, describe, expect, test } from "vitest";
import { GrammarWalk } from "../../test/helpers/grammar-walk.js";
import { type Rng, seededRng } from "../base/rng.js";
import { schemaGrammar } from "../engine/schema/schema-grammar.js";

const SEED = 11;
const walk = new GrammarWalk();
const { service, tokenizer } = walk;
const ajv = new Ajv2020({ strict: false });
const signal = new AbortController().signal;
afterAll(() => service.dispose());

async function expectConforming(schema: object, rng: Rng, walks: number): Promise<number> {
  const grammar = schemaGrammar(schema);
  const validate = ajv.compile(schema);
  let ended = 0;
  for (let i = 0; i < walks; i++) {
    const text = await walk.randomText(grammar, rng);
    if (text === null) continue;
    ended++;
    const value: unknown = JSON.parse(text);
    expect(validate(value), `${text} for ${JSON.stringify(schema)} (seed ${SEED})`).toBe(true);
  }
  return ended;
}

const node = {
  type: "object",
  properties: { v: { type: "integer" }, next: { $ref: "#/$defs/node" } },
  required: ["v"],
};
const SCHEMAS: readonly object[] = [
  {},
  { type: ["null", "boolean"] },
  { type: "integer" },
  { type: "integer", minimum: -12, maximum: 105 },
  { type: "integer", exclusiveMinimum: 99.5, exclusiveMaximum: 10_000 },
  { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 },
  { type: "integer", maximum: -7 },
  { type: "number" },
  { type: "number", minimum: 0, maximum: 1 },
  { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
  { type: "number", minimum: -2.75, exclusiveMaximum: 10.125 },
  { type: "number", exclusiveMinimum: 1.5 },
  { type: "number", exclusiveMaximum: -0.25 },
  { type: "string" },
  { type: "string", minLength: 1 },
  { type: "string", pattern: "^[A-Z]{2}-\\d{3,5}$" },
  { type: "string", pattern: "a+(b|c)?" },
  { type: "string", pattern: '^(?:[^a-z"]|\\\\|\\n|\\u0041)*$' },
  { type: "string", pattern: "^\\S{1,3}@[\\w-]\\.[a-z\u00e9]{2,3}$" },
  { enum: [1, 'a\n"b"', null, { x: [1, { y: "\u00e9" }] }, []] },
  { enum: ["a", 1, 2.5], type: "number" },
  { const: { a: [true, false] } },
  { type: "array", items: { type: "integer", minimum: 0, maximum: 9 }, minItems: 2, maxItems: 4 },
  { type: "array", items: false },
  { type: "array", maxItems: 0 },
  { type: "array", prefixItems: [{ type: "integer" }, { type: "string" }] },
  { type: "array", prefixItems: [{ type: "integer" }], items: { type: "null" }, minItems: 3, maxItems: 5 },
  { type: "object" },
  { type: "object", additionalProperties: { type: "integer" }, propertyNames: { type: "string" } },
  { type: "object", additionalProperties: false },
  { type: "object", required: ["a"], additionalProperties: { type: "integer" } },
  { properties: { a: { type: "integer" }, 'b"c': { type: "null" }, d: true }, required: ['b"c'] },
  { properties: { a: { type: "null" }, b: { type: "null" }, c: { type: "null" } }, additionalProperties: false },
  { anyOf: [{ type: "integer" }, { type: "object", properties: { a: { type: "null" } }, required: ["a"] }] },
  {
    oneOf: [
      { type: "object", properties: { k: { const: "a" }, x: { type: "integer" } }, required: ["k", "x"] },
      { type: "object", properties: { k: { enum: ["b", "c"] } }, required: ["k"] },
      { type: "null" },
    ],
  },
  { allOf: [{ $ref: "#/$defs/id" }], $defs: { id: { type: "string", pattern: "^x$", title: "an id" } } },
  { $ref: "#/$defs/node", $defs: { node } },
  { type: ["object", "null"], properties: { self: { $ref: "#" } } },
];

test.each(SCHEMAS.map((schema) => [schema]))("every text conforms: %j", async (schema) => {
  expect(await expectConforming(schema, seededRng(SEED), 6)).toBeGreaterThan(0);
});

test(`random schemas (seed ${SEED})`, async () => {
  const rng = seededRng(SEED);
  let ended = 0;
  for (let i = 0; i < 40; i++) ended += await expectConforming(randomSchema(rng, 3), rng, 2);
  expect(ended).toBeGreaterThan(40);
});

function randomSchema(rng: Rng, depth: number): object {
  const pick = <T>(...options: readonly T[]): T => options[rng.integer(options.length)]!;
  const number = () => pick(0, 1, -1, 0.5, 12.25, -3.125, 100, 9999, -0.001);
  const [low, high] = [number(), number()].sort((a, b) => a - b);
  const bounds = { [pick("minimum", "exclusiveMinimum")]: low, [pick("maximum", "exclusiveMaximum")]: high! + 2 };
  const scalars: readonly object[] = [
    { type: "integer", ...pick({}, bounds) },
    { type: "number", ...pick({}, bounds, { exclusiveMinimum: low }, { maximum: high }) },
    { type: "string", ...pick({}, { minLength: 1 }, { pattern: pick("^a{1,3}$", "b", "^[^ab]\\d?$", "x|^y") }) },
    { type: pick("null", "boolean") },
    { enum: [pick<unknown>("a", 1, null), pick<unknown>("b", [2], { c: 3 })] },
  ];
  if (depth === 0) return pick(...scalars);
  const child = () => randomSchema(rng, depth - 1);
  const names = ["a", "b", "c"].filter(() => rng.integer(2) === 0);
  const minItems = rng.integer(3);
  return pick<() => object>(
    () => pick(...scalars),
    () => ({
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, child()])),
      required: names.filter(() => rng.integer(2) === 0),
    }),
    () => ({ type: "array", items: child(), minItems, maxItems: minItems + rng.integer(3) }),
    () => ({ type: "array", prefixItems: [child(), child()] }),
    () => ({ anyOf: [child(), child()] }),
    () => ({ type: "object", additionalProperties: child() }),
  )();
}

describe("sessions", () => {
  test("several at a time, each on its own", async () => {
    const grammar = schemaGrammar({ enum: ["ab", "cd"] });
    const [a, b] = await Promise.all([service.open(grammar, signal), service.open(grammar, signal)]);
    const quote = walk.allowedIds(a!.bits!).find((id) => tokenizer.tokenText(id) === '"')!;
    a!.accept(quote);
    expect(a!.bits).toBe(undefined);
    await a!.whenReady();
    expect(a!.whenReady()).toBe(null);
    expect(b!.bits).not.toEqual(a!.bits);
    a!.close();
    b!.close();
  });

  test("an abort while it is prepared rejects with its reason", async () => {
    const controller = new AbortController();
    const opened = service.open(schemaGrammar({}), controller.signal);
    controller.abort("enough");
    await expect(opened).rejects.toBe("enough");
  });
});
